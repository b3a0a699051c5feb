import { ApiExtraModels, ApiProperty } from '@nestjs/swagger';
import { Example } from '../http/fields.js';
import { AnswersOf, IsBatch, REFUSED_ITEM, RefusedItem } from '../issuance/batch.dto.js';
import {
  AnyIssuedUpload,
  ISSUED_UPLOAD,
  type IssuedUploadUrl,
  UploadUrlRequest,
} from '../upload-url/upload-url.dto.js';

@Example<UploadUrlsRequest>({
  items: [
    { bucket: 'files', key: 'users/alice/photo.png', contentType: 'image/png', contentLength: 48_213 },
    { bucket: 'files', key: 'users/bob/photo.png', contentType: 'image/png', contentLength: 51_977 },
  ],
})
export class UploadUrlsRequest {
  /** Up to 1,000, each as in the single call. */
  @IsBatch() items!: UploadUrlRequest[];
}

/** An item that got its URL, its form, or its upload in parts. */
export class IssuedUpload {
  @ApiProperty({ type: 'integer', enum: [201] }) status!: 201;

  /** What the single call would have answered with. */
  @ApiProperty({ type: AnyIssuedUpload }) body!: IssuedUploadUrl;
}

@ApiExtraModels(IssuedUpload, RefusedItem)
@Example<UploadUrls>({ items: [{ status: 201, body: ISSUED_UPLOAD }, REFUSED_ITEM] })
export class UploadUrls {
  /** One answer an item, in the order of the request. */
  @AnswersOf(IssuedUpload) items!: (IssuedUpload | RefusedItem)[];
}
