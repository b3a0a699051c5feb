import { ApiExtraModels, ApiProperty } from '@nestjs/swagger';
import { Example } from '../http/fields.js';
import { AnswersOf, IsBatch, REFUSED_ITEM, RefusedItem } from '../issuance/batch.dto.js';
import { ISSUED_UPLOAD_URL, IssuedUploadUrl, UploadUrlRequest } from '../upload-url/upload-url.dto.js';

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

/** An item that got its URL. */
export class IssuedUpload {
  /** What the single call would have answered with. */
  @ApiProperty({ type: 'integer', enum: [201] }) status!: 201;

  body!: IssuedUploadUrl;
}

@ApiExtraModels(IssuedUpload, RefusedItem)
@Example<UploadUrls>({ items: [{ status: 201, body: ISSUED_UPLOAD_URL }, REFUSED_ITEM] })
export class UploadUrls {
  /** One answer an item, in the order of the request. */
  @AnswersOf(IssuedUpload) items!: (IssuedUpload | RefusedItem)[];
}
