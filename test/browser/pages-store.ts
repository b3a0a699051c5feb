import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { startStore } from '@countersign/embedded';
import { makeBucket } from '../storage/store-bucket.js';

/** A bucket that pages of one origin may use. */
export interface PagesStore {
  endpoint: string;
  /** What a tenant's registration of it says in another way than the run's variables. */
  registration: Record<string, unknown>;
  stop(): Promise<void>;
}

export async function startPagesStore(origin: string, dir: string): Promise<PagesStore> {
  if (process.env['STORAGE_KIND'] === 'embedded') return startEmbedded(origin, dir);
  const bucket = await makeBucket();
  await bucket.allowPages(origin);
  const endpoint = process.env['STORAGE_ENDPOINT'] ?? '';
  return { endpoint, registration: { bucket: bucket.name }, stop: async () => undefined };
}

/** One of its own: the embedded store learns at its start which origins it lets in. */
async function startEmbedded(origin: string, dir: string): Promise<PagesStore> {
  const credentials = { accessKeyId: 'TESTPAGES00000000001', secretAccessKey: randomBytes(20).toString('hex') };
  const buckets = [{ name: 'pages', corsOrigins: [origin] }];
  const store = await startStore({ dir: path.join(dir, 'store'), buckets, accessKeys: [credentials] });
  const { endpoint } = store;
  return { endpoint, registration: { endpoint, bucket: 'pages', credentials }, stop: () => store.stop() };
}
