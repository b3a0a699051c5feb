import { ApiExtraModels, ApiProperty } from '@nestjs/swagger';
import { DownloadUrlRequest } from '../download-url/download-url.dto.js';
import { Example } from '../http/fields.js';
import { AnswersOf, IsBatch, REFUSED_ITEM, RefusedItem } from '../issuance/batch.dto.js';
import { ISSUED_URL, IssuedUrl } from '../issuance/issued-url.dto.js';

@Example<DownloadUrlsRequest>({
  items: [
    { bucket: 'files', key: 'users/alice/photo.png' },
    { bucket: 'files', key: 'users/bob/photo.png', filename: 'bob.png' },
  ],
})
export class DownloadUrlsRequest {
  /** Up to 1,000, each as in the single call. */
  @IsBatch() items!: DownloadUrlRequest[];
}

/** An item that got its URL. */
export class IssuedDownload {
  /** What the single call would have answered with. */
  @ApiProperty({ type: 'integer', enum: [201] }) status!: 201;

  body!: IssuedUrl;
}

@ApiExtraModels(IssuedDownload, RefusedItem)
@Example<DownloadUrls>({ items: [{ status: 201, body: ISSUED_URL }, REFUSED_ITEM] })
export class DownloadUrls {
  /** One answer an item, in the order of the request. */
  @AnswersOf(IssuedDownload) items!: (IssuedDownload | RefusedItem)[];
}
