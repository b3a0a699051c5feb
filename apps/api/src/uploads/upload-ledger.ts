import type { Transaction } from '@countersign/database';
import { type Asker, recordChange } from '@countersign/ledger';
import type { Upload } from '@countersign/uploads';

/** Whom the ledger names where nobody asked. No token can have this subject. */
export const UPLOADS_SUBJECT = 'system:uploads';

/** What the ledger notes in place of a caller: the upload's id stands for the request's. */
export const askerOfUpload = ({ id, tenantId }: Pick<Upload, 'id' | 'tenantId'>): Asker => ({
  tenantId,
  subject: UPLOADS_SUBJECT,
  clientAddress: null,
  userAgent: null,
  requestId: id,
});

export type UploadEvent =
  'upload.verified' | 'upload.rejected' | 'upload.aborted' | 'upload.expired' | 'upload.late-object-removed';

/** Records what became of an upload, in the transaction that makes it so. */
export function recordUpload(
  transaction: Transaction,
  asker: Asker,
  { id, bucket, key, useCase, mode }: Upload,
  action: UploadEvent,
  details: Record<string, unknown> = {},
): Promise<void> {
  return recordChange(transaction, {
    ...asker,
    action,
    bucket,
    key,
    useCase,
    details: { uploadId: id, mode, ...details },
  });
}
