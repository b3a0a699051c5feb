import { randomUUID } from 'node:crypto';
import type { FreshDatabase } from '../support/fresh-database.js';

export interface UploadRow {
  id: string;
  tenantId: string;
  bucketId: string;
  key: string;
  mode: string;
  state: string;
  contentType: string;
  contentLength: number | null;
  range: [number, number] | [null, null];
  checksumSha256: string | null;
  storeUploadId: string | null;
  withheld: boolean;
  /** In seconds from now. */
  createdIn: number;
  dueIn: number;
  expiresIn: number;
  finishedIn: number | null;
  looks: number;
  attempts: number;
}

/** A row as if an upload URL had been issued: of five bytes of text, and expired a second ago; gives the id. */
export async function putUploadRow(database: FreshDatabase, row: Partial<UploadRow> = {}): Promise<string> {
  const id = row.id ?? randomUUID();
  const {
    tenantId = randomUUID(),
    bucketId = randomUUID(),
    key = 'users/alice/a',
    mode = 'put',
    state = 'pending',
  } = row;
  const { contentType = 'text/plain', contentLength = 5, checksumSha256 = null, storeUploadId = null } = row;
  const {
    withheld = false,
    createdIn = -900,
    expiresIn = -1,
    dueIn = -1,
    finishedIn = null,
    looks = 0,
    attempts = 0,
  } = row;
  const parts = mode === 'multipart' ? [8 * 1024 ** 2, 1] : [null, null];
  await database.query(
    `INSERT INTO uploads (id, tenant_id, subject, bucket_id, bucket, key, use_case, mode, state, content_type, content_length,
        min_content_length, max_content_length, checksum_sha256, overwrite, part_size, part_count, store_upload_id, withheld,
        created_at, expires_at, due_at, finished_at, looks, attempts)
     VALUES ($1, $2, 'alice', $3, 'files', $4, 'upload', $5::upload_mode, $6::upload_state, $7, $8, $9, $10, $11, false, $12, $13, $14, $15,
        now() + make_interval(secs => $16), now() + make_interval(secs => $17), now() + make_interval(secs => $18),
        now() + make_interval(secs => $19), $20, $21)`,
    [
      id,
      tenantId,
      bucketId,
      key,
      mode,
      state,
      contentType,
      contentLength,
      ...(row.range ?? [null, null]),
      checksumSha256,
      ...parts,
      storeUploadId,
      withheld,
      createdIn,
      expiresIn,
      dueIn,
      finishedIn,
      looks,
      attempts,
    ],
  );
  return id;
}
