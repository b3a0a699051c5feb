// The life of an upload at the run's store, which is a real Ceph RGW in CI: the built API in processes of its own, and plain fetch.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Tenant } from '../support/installation.js';
import { CrashRig } from '../uploads/crash-rig.js';
import type { RigBucket } from '../uploads/reconciler-rig.js';

const MIB = 1024 ** 2;
const PARTS_AT_ONCE = 4;

let rig: CrashRig;
/** Reached directly, and by the door that counts what the API asks for. */
let direct: { tenant: Tenant; bucket: RigBucket };
let counted: { tenant: Tenant; bucket: RigBucket };
beforeAll(async () => {
  rig = await CrashRig.start();
  direct = await rig.makeTenant(process.env['STORAGE_ENDPOINT']);
  counted = await rig.makeTenant();
}, 60_000);
afterAll(() => rig.close());

interface Answer {
  status: number;
  text: string;
  body: Record<string, unknown>;
}

async function call(tenant: Tenant, method: string, path: string, body?: object, api?: string): Promise<Answer> {
  const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  const headers = { authorization: `Bearer ${tenant.token('alice')}`, ...type };
  const response = await fetch(`${api ?? (await rig.url())}${path}`, { method, headers, body: JSON.stringify(body) });
  const text = await response.text();
  return { status: response.status, text, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}

/** Asks for an upload, and uploads; gives what the completion takes. */
async function upload(tenant: Tenant, content: Uint8Array<ArrayBuffer>, more: object = {}) {
  const key = `users/alice/${randomUUID()}`;
  const wish = {
    bucket: 'files',
    key,
    contentType: 'application/octet-stream',
    contentLength: content.length,
    ...more,
  };
  const { status, body } = await call(tenant, 'POST', '/upload-url', wish);
  expect(status).toBe(201);
  const { uploadId, mode, url, headers, partSize, partCount } = body as {
    [name: string]: string;
  } & { headers: Record<string, string>; partSize: number; partCount: number };
  if (mode === 'put') expect((await fetch(url ?? '', { method: 'PUT', headers, body: content })).status).toBe(200);
  else await putParts(tenant, uploadId ?? '', content, { partSize, partCount });
  return { key, id: uploadId ?? '', mode };
}

async function putParts(
  tenant: Tenant,
  id: string,
  content: Uint8Array<ArrayBuffer>,
  { partSize, partCount }: { partSize: number; partCount: number },
) {
  const partNumbers = Array.from({ length: partCount }, (_, n) => n + 1);
  const { body } = await call(tenant, 'POST', `/uploads/${id}/parts`, { partNumbers });
  const parts = body['parts'] as { partNumber: number; url: string; headers: Record<string, string> }[];
  const work = async () => {
    for (let part = parts.shift(); part; part = parts.shift()) {
      const { partNumber, url, headers } = part;
      const bytes = content.subarray((partNumber - 1) * partSize, partNumber * partSize);
      expect((await fetch(url, { method: 'PUT', headers, body: bytes })).status).toBe(200);
    }
  };
  await Promise.all(Array.from({ length: PARTS_AT_ONCE }, work));
}

const random = (size: number): Uint8Array<ArrayBuffer> => Uint8Array.from(randomBytes(size));

const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('base64');

describe('an upload', () => {
  it.each([
    ['1 byte', 1, 'put', {}],
    ['5 MiB', 5 * MIB, 'put', {}],
    ['5 MiB in one part', 5 * MIB, 'multipart', { mode: 'multipart' }],
    ['200 MiB in parts', 200 * MIB, 'multipart', { mode: 'auto' }],
  ])(
    'of %s is verified by its checksum, and comes back as it was',
    async (_, size, mode, more) => {
      const content = random(size);
      const { id, key, ...begun } = await upload(direct.tenant, content, { ...more, checksumSha256: sha256(content) });
      expect(begun.mode).toBe(mode);
      const completed = await call(direct.tenant, 'POST', `/uploads/${id}/completion`);
      expect(completed).toMatchObject({
        status: 200,
        body: { id, state: 'verified', size, contentType: 'application/octet-stream', checksumSha256: sha256(content) },
      });
      // And the ETag, where the store's answer to the completion had one: Ceph's (16) has none.
      expect(completed.body['verified']).toEqual(expect.arrayContaining(['size', 'type', 'checksum']));

      const { body } = await call(direct.tenant, 'POST', '/download-url', { bucket: 'files', key });
      const download = await fetch(String(body['url']));
      expect(sha256(new Uint8Array(await download.arrayBuffer()))).toBe(sha256(content));
    },
    120_000,
  );

  it.each(['put', 'multipart'])('by %s, of other bytes than its checksum says, is rejected and gone', async (mode) => {
    // Attack: what was announced was scanned, or signed, elsewhere; what is uploaded is another thing of the same size and type.
    const { tenant, bucket } = direct;
    const content = random(5 * MIB);
    const before = await rig.rig.keys(bucket);
    // A store that compares by itself lets nothing in by PUT: so the lie is told to us alone.
    const { id } = await upload(tenant, content, { mode });
    await rig.rig.database.query('UPDATE uploads SET checksum_sha256 = $2 WHERE id = $1', [id, sha256(random(5))]);
    const first = await call(tenant, 'POST', `/uploads/${id}/completion`);
    expect(first).toMatchObject({ status: 200, body: { state: 'rejected', mismatches: [{ what: 'checksum' }] } });
    expect(await rig.rig.keys(bucket)).toEqual(before);
    expect(await rig.rig.begun(bucket)).toEqual([]);
    expect((await call(tenant, 'POST', `/uploads/${id}/completion`)).text).toBe(first.text);
  });

  it('in parts that is abandoned is aborted at the store', async () => {
    const { tenant, bucket } = direct;
    const wish = { bucket: 'files', contentType: 'text/plain', contentLength: 9 * MIB, mode: 'multipart' };
    const { body } = await call(tenant, 'POST', '/upload-url', { ...wish, key: `users/alice/${randomUUID()}` });
    const path = `/uploads/${String(body['uploadId'])}`;
    const { body: urls } = await call(tenant, 'POST', `${path}/parts`, { partNumbers: [2] });
    const [{ url, headers }] = urls['parts'] as [{ url: string; headers: Record<string, string> }];
    expect((await fetch(url, { method: 'PUT', headers, body: random(MIB) })).status).toBe(200);
    expect(await rig.rig.begun(bucket)).toHaveLength(1);

    await rig.rig.timePasses(bucket, 3_600);
    await rig.reconcile();
    expect(await rig.rig.begun(bucket)).toEqual([]);
    expect(await call(tenant, 'GET', path)).toMatchObject({ status: 200, body: { state: 'expired' } });
  });
});

it('of 50 completions at once, by two replicas, one does it: one completion at the store, one reading, 50 equal answers', async () => {
  const { tenant } = counted;
  const content = random(6 * MIB);
  const { id } = await upload(tenant, content, { mode: 'multipart', checksumSha256: sha256(content) });
  const apis = [await rig.url(), await rig.anotherUrl()];
  const watched = rig.watch(null, () => Promise.resolve());
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) => call(tenant, 'POST', `/uploads/${id}/completion`, undefined, apis[n % 2])),
  );
  const steps = watched();
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(answers[0]).toMatchObject({ status: 200, body: { state: 'verified' } });
  const times = (what: string) => steps.filter((step) => step === `before ${what}`).length;
  expect([times('CompleteMultipartUpload'), times('ListParts')]).toEqual([1, 1]);
  // A store that keeps a SHA-256 of the whole object need not be read.
  expect(times('GetObject')).toBeLessThanOrEqual(1);
  const events = await rig.rig.database.query(
    `SELECT FROM ledger WHERE details ->> 'uploadId' = $1 AND action = 'upload.verified'`,
    [id],
  );
  expect(events).toHaveLength(1);
}, 60_000);

// The same at the embedded store, and more of it: test/uploads/crash-api.spec.ts.
const killed = process.env['STORAGE_KIND'] === 'embedded' ? [] : (['again', 'nothing'] as const);
for (const afterwards of killed) {
  it(`a multipart upload whose service is killed at any step leaves nothing behind, and then: ${afterwards}`, async () => {
    const { steps, found } = await rig.run({ course: 'completed', diesAt: null, afterwards: 'nothing' }, counted);
    expect(found).toEqual([]);
    // To the world outside, that is the same as before the next.
    const deaths = [...steps.keys()].filter((n) => steps[n]?.startsWith('after'));
    for (const diesAt of deaths) {
      const outcome = await rig.run({ course: 'completed', diesAt, afterwards }, counted);
      expect([steps[diesAt], outcome.found]).toEqual([steps[diesAt], []]);
    }
  }, 240_000);
}
