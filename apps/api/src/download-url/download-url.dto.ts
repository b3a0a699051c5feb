import { IsBoolean, IsIn, Matches, Min } from 'class-validator';
import { Example } from '../http/fields.js';
import { IsContentType, IsFilename, IsInteger, IsLookedUpName, IsObjectKey, Optional } from '../http/validators.js';

@Example<DownloadUrlRequest>({ bucket: 'files', key: 'users/alice/photo.png', filename: 'photo.png' })
export class DownloadUrlRequest {
  /** The bucket's registered name. */
  @IsLookedUpName() bucket!: string;

  /** The object's key: 1 to 1,024 bytes of UTF-8 in NFC, without empty, `.` or `..` segments. */
  @IsObjectKey() key!: string;

  /** The tenant's policy for this purpose. */
  @Optional() @IsLookedUpName() useCase?: string = 'download';

  /** How long the URL is to work; the use case's default, if it has one. */
  @Optional() @Min(1) @IsInteger() expiresInSeconds?: number;

  /** `HEAD` to see the object's size and type only. */
  @Optional() @IsIn(['GET', 'HEAD']) method?: 'GET' | 'HEAD' = 'GET';

  /** With the method GET: whether a URL for a HEAD comes with it, in `head`. */
  @Optional() @IsBoolean() withHead?: boolean = false;

  /**
   * For caches: whoever asks for the same gets the same URL, byte for byte, for half of the expiry. It then has between half and all of the
   * expiry left to live, and `expiresAt` says exactly when it ends.
   */
  @Optional() @IsBoolean() stable?: boolean = false;

  /** The name to save as. Makes the answer an attachment, unless `disposition` says otherwise. */
  @Optional() @IsFilename() filename?: string;

  /** What a browser would run (HTML, SVG, XML, …) is always an attachment. */
  @Optional() @IsIn(['attachment', 'inline']) disposition?: 'attachment' | 'inline';

  /** The Content-Type that the store is to answer with. */
  @Optional() @IsContentType() contentType?: string;

  /** A version of the object, where the store keeps versions. */
  @Optional()
  @Matches(/^[\x21-\x7e]{1,1024}$/, { message: 'versionId must be 1 to 1,024 printable ASCII characters' })
  versionId?: string;
}
