import { Injectable } from '@nestjs/common';
import { Database } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import { ObjectAddresses } from '@countersign/signing';
import type { NamedPart, Upload } from '@countersign/uploads';
import type { Caller } from '../../http/caller.js';
import { publicLocation } from '../../issuance/signing.js';
import { CompleteUpload } from '../../uploads/complete-upload.js';
import { FindUpload } from '../../uploads/find-upload.js';
import type { UppyCompleted } from './uppy.dto.js';

/** A completion like any other; but what was rejected is a problem, for Uppy takes every other answer for success. */
@Injectable()
export class CompleteUppyUpload {
  constructor(
    private readonly completeUpload: CompleteUpload,
    private readonly uploads: FindUpload,
    private readonly database: Database,
    private readonly addresses: ObjectAddresses,
  ) {}

  async execute(caller: Caller, id: string, parts: readonly NamedPart[] | null): Promise<UppyCompleted> {
    const { state, size, contentType, etag, mismatches = [] } = await this.completeUpload.execute(caller, id, parts);
    if (state === 'rejected') {
      const found = mismatches.map(({ what, expected, found }) => `${what} ${found ?? 'none'} in place of ${expected}`);
      throw new ProblemError('upload-rejected', `What came is not what was promised: ${found.join(', ')}.`);
    }
    const upload = await this.uploads.execute(caller, id);
    const { bucket, key, id: uploadId } = upload;
    return { location: await this.#addressOf(upload), bucket, key, uploadId, state, size, contentType, etag };
  }

  async #addressOf({ tenantId, bucketId, key }: Upload): Promise<string> {
    const bucket = await this.database.asTenant(tenantId, (transaction) =>
      transaction.bucket.findFirstOrThrow({ where: { tenantId, id: bucketId } }),
    );
    return this.addresses.of(publicLocation(bucket), bucket.keyPrefix + key);
  }
}
