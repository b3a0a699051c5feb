import { Injectable } from '@nestjs/common';
import { Database } from '@countersign/database';
import { toUpload, type Upload } from '@countersign/uploads';
import type { Caller } from '../http/caller.js';
import { idOrNotFound, notFound } from '../http/not-found.js';

/** The one way to an upload: by its owner. */
@Injectable()
export class FindUpload {
  constructor(private readonly database: Database) {}

  /** @throws ProblemError `not-found`: the same for another user's, another tenant's, one that never was, and one whose bucket is gone. */
  async execute({ tenantId, subject }: Pick<Caller, 'tenantId' | 'subject'>, text: string): Promise<Upload> {
    const id = idOrNotFound(text, 'upload');
    const row = await this.database.asTenant(tenantId, async (transaction) => {
      const found = await transaction.upload.findFirst({ where: { id, tenantId, subject } });
      const bucket = found && (await transaction.bucket.count({ where: { tenantId, id: found.bucketId } }));
      return bucket ? found : null;
    });
    if (!row) throw notFound('upload');
    return toUpload(row);
  }
}
