// The calls that Uppy makes, as its version 5 makes them (with `Accept`), or as 6 does.
import { callsBy } from '../../calls.js';
import { MIB, startUploads, type UploadsTest } from '../../uploads/uploads-fixture.js';

export const PATH = '/compat/uppy/s3';

export interface UppyTest extends UploadsTest {
  /** `GET params` with these metadata, by a client that takes a PUT. */
  params(metadata?: Record<string, string>, query?: Record<string, string>): ReturnType<UploadsTest['alice']['get']>;
  /** `POST multipart` with these metadata. */
  begin(metadata?: object, body?: object): ReturnType<UploadsTest['alice']['post']>;
  /** Of parts of Uppy's own: sent, and named as Uppy names them. */
  sendParts(uploadId: string, bytes: Uint8Array<ArrayBuffer>): Promise<{ PartNumber: number; ETag: string }[]>;
}

export const UPPYS_PART = 5 * MIB;

export async function startUppy(bucket: Record<string, unknown> = {}): Promise<UppyTest> {
  const t = await startUploads(bucket);
  const admin = callsBy(t.installation.api, t.tenant.admin);
  await admin
    .put('/use-cases/photos', {
      action: 'write',
      minExpirySeconds: 60,
      defaultExpirySeconds: 60,
      maxExpirySeconds: 600,
      contentTypes: ['image/*'],
      minContentLength: 2,
      maxContentLength: 6 * MIB,
    })
    .expect(201);
  const file = { filename: 'a.txt', type: 'text/plain' };
  return {
    ...t,
    params: (metadata = {}, query = {}) => {
      const named = Object.entries(metadata).map(([name, value]) => [`metadata[${name}]`, value]);
      const all = { ...file, ...query, ...(Object.fromEntries(named) as Record<string, string>) };
      return t.alice.get(`${PATH}/params`, all).set('Accept', 'application/json');
    },
    begin: (metadata = {}, body = {}) => t.alice.post(`${PATH}/multipart`, { ...file, metadata, ...body }),
    sendParts: async (uploadId, bytes) => {
      const parts: { PartNumber: number; ETag: string }[] = [];
      for (let start = 0, n = 1; start < bytes.length; start += UPPYS_PART, n++) {
        const { body } = await t.alice.get(`${PATH}/multipart/${uploadId}/${n}`, { key: 'whatever' }).expect(200);
        const part = bytes.subarray(start, start + UPPYS_PART);
        const { headers, status } = await fetch((body as { url: string }).url, { method: 'PUT', body: part });
        if (status !== 200) throw new Error(`The store answered ${status}.`);
        parts.push({ PartNumber: n, ETag: headers.get('etag') ?? '' });
      }
      return parts;
    },
  };
}

/** The key of a file that says nothing of where it goes. */
export const OWN_KEY = /^users\/alice\/[0-9a-f]{8}-[0-9a-f-]{27}-a\.txt$/;
