import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asOwner, bytesOf, callsBy } from '../../calls.js';
import { PATH, startUppy, type UppyTest, UPPYS_PART } from './uppy-fixture.js';

describe('Whom Uppy works for', () => {
  let t: UppyTest;
  beforeAll(async () => (t = await startUppy()));
  afterAll(() => t.stop());

  /** Every call, by this token. */
  const everyCall = (token: string, id: string) => {
    const calls = callsBy(t.installation.api, token);
    const path = `${PATH}/multipart/${id}`;
    return Promise.all([
      calls.get(path),
      calls.get(`${path}/1`),
      calls.get(`${path}/batch`, { partNumbers: '1' }),
      calls.post(`${path}/complete`, {}),
      calls.delete(path),
    ]);
  };

  it('is nobody without a token, and nobody without the scope; Uppy is told in words', async () => {
    const { body } = await t.installation.api.get(`${PATH}/params`).expect(401);
    expect(body).toMatchObject({ code: 'unauthenticated', message: body.detail });
    const reader = t.tenant.token('alice', 'read:objects admin:tenant');
    const answers = [
      await callsBy(t.installation.api, reader).get(`${PATH}/params`),
      await callsBy(t.installation.api, reader).post(`${PATH}/multipart`, {}),
      ...(await everyCall(reader, randomUUID())),
    ];
    expect(answers.map(({ status, body: { code } }) => [status, code])).toEqual(
      answers.map(() => [403, 'scope-missing']),
    );
  });

  it('is whoever has a grant: a refusal is the same as everywhere, and on record', async () => {
    const { body } = await t.params({ key: 'users/bob/a.txt', size: '5' }).expect(403);
    expect(body).toMatchObject({ code: 'not-granted', message: 'No grant allows the caller to do this to this key.' });
    await t.begin({ key: 'users/bob/b.txt', size: 5 }).expect(403);
    const [parts, whole] = await t.tenant.events({ decision: 'refused' });
    expect([whole, parts]).toMatchObject([
      { key: 'users/bob/a.txt', bucket: 'files', reason: 'not-granted' },
      { key: 'users/bob/b.txt', bucket: 'files', reason: 'not-granted' },
    ]);
    const { body: noBucket } = await t.params({ bucket: 'no-such', size: '5' }).expect(404);
    expect(noBucket.code).toBe('bucket-not-found');
  });

  // Attack: parts go on after the grant is gone.
  it('ends with the grant', async () => {
    const folder = `reports/${randomUUID()}/`;
    const grant = await t.tenant.grant({ subject: { type: 'user', id: 'alice' }, prefix: folder });
    const { body } = await t.begin({ prefix: folder, size: UPPYS_PART + 1 }).expect(200);
    await t.alice.get(`${PATH}/multipart/${body.uploadId}/1`).expect(200);
    await callsBy(t.installation.api, t.tenant.admin).delete(`/grants/${grant}`).expect(204);
    const path = `${PATH}/multipart/${body.uploadId}`;
    expect((await t.alice.get(`${path}/2`).expect(403)).body.code).toBe('not-granted');
    expect((await t.alice.get(`${path}/batch`, { partNumbers: '2' }).expect(403)).body.code).toBe('not-granted');
    await t.alice.post(`${path}/complete`, {}).expect(403);
    await t.alice.delete(path).expect(200);
  });

  it('is nobody while the tenant is suspended; what was asked of a bucket is on record', async () => {
    const suspended = await t.installation.createTenant();
    const operator = callsBy(t.installation.api, t.installation.operator);
    await operator.patch(`/tenants/${suspended.slug}`, { state: 'suspended' }).expect(200);
    const alice = callsBy(t.installation.api, suspended.token('alice'));
    for (const metadata of [{}, { 'metadata[bucket]': 'files' }] as Record<string, string>[]) {
      const query = { filename: 'a.txt', 'metadata[size]': '5', ...metadata };
      const { body } = await alice.get(`${PATH}/params`, query).expect(403);
      expect(body.code).toBe('tenant-suspended');
    }
    await operator.patch(`/tenants/${suspended.slug}`, { state: 'active' }).expect(200);
    const events = await suspended.events({ decision: 'refused' });
    expect(events).toMatchObject([{ bucket: 'files', reason: 'tenant-suspended', subject: 'alice' }]);
  });

  // Attack: somebody else's upload by its id, which a page may show.
  it('is the upload’s owner: everybody else is told what is told of one that never was', async () => {
    const { body } = await t.begin({ size: 5 }).expect(200);
    const neighbour = await t.installation.createTenant();
    const answersOf = async (token: string, id: string) => (await everyCall(token, id)).map(bytesOf);
    const never = await answersOf(t.tenant.token('alice'), randomUUID());
    expect(never.map((answer) => (JSON.parse(answer) as { status: number }).status)).toEqual([404, 404, 404, 404, 404]);
    expect(await answersOf(t.tenant.token('bob'), body.uploadId)).toEqual(never);
    expect(await answersOf(neighbour.token('alice'), body.uploadId)).toEqual(never);
    expect(await answersOf(t.tenant.token('alice'), 'no-id')).toEqual(never);
    await t.alice.get(`${PATH}/multipart/${body.uploadId}/0`).expect(404);
    await t.alice.get(`${PATH}/multipart/${body.uploadId}/x`).expect(404);
    await t.alice.get(`${PATH}/sts`).expect(404);
  });

  it('is told by a 409 which parts are missing, and can go on', async () => {
    const bytes = new Uint8Array(randomBytes(UPPYS_PART + 1));
    const { body } = await t.begin({ size: bytes.length }).expect(200);
    const path = `${PATH}/multipart/${body.uploadId}/complete`;
    const { body: problem } = await t.alice.post(path, { parts: [] }).expect(409);
    expect(problem).toMatchObject({ code: 'upload-incomplete', message: problem.detail });
    const parts = await t.sendParts(body.uploadId, bytes);
    await t.alice.post(path, { parts }).expect(200);
    const { body: over } = await t.alice.delete(`${PATH}/multipart/${body.uploadId}`).expect(409);
    expect(over.code).toBe('wrong-state');
  });

  // Attack: Uppy takes every 200 for success, and a page shows a file that is not what was promised.
  it('is told by a 409 that what came is not what was promised, the same ever after', async () => {
    const { body } = await t.begin({ size: 5, key: t.key() }).expect(200);
    // As if the store had given it another type.
    await t.store.put(body.key, 'hello', { contentType: 'text/html', uploadId: body.uploadId });
    const path = `${PATH}/multipart/${body.uploadId}/complete`;
    for (let n = 0; n < 2; n++) {
      const { body: problem } = await t.alice.post(path, {}).expect(409);
      expect(problem).toMatchObject({
        code: 'upload-rejected',
        message: 'What came is not what was promised: type text/html in place of text/plain.',
      });
    }
    expect(await t.store.get(body.key)).toBeNull();
    const [row] = await asOwner<{ state: string }>('SELECT state FROM uploads WHERE id = $1', [body.uploadId]);
    expect(row?.state).toBe('rejected');
  });
});
