import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ForgetKeys } from '../../../apps/api/src/idempotency/forget-keys.js';
import { statementsOf } from '../batches.js';
import { asOwner, callsBy } from '../calls.js';
import { freshKey, Replicas } from './replicas.js';

let t: Replicas;
beforeAll(async () => {
  // A store that is never asked.
  t = await Replicas.start({ endpoint: 'http://127.0.0.1:9', bucket: 'acme' });
});
afterAll(() => t.stop());

const place = (name = freshKey()) => ({ bucket: 'files', key: `users/alice/${name}` });
const object = { contentType: 'text/plain', contentLength: 5 };
const range = { contentType: 'text/plain', mode: 'post', contentLengthRange: { min: 1, max: 9 } };

describe('An issuing call that is repeated with its Idempotency-Key', () => {
  it.each([
    ['a download', '/download-url', { filename: 'ünlauts.txt', contentType: 'text/plain', versionId: 'v1' }],
    ['a HEAD', '/download-url', { method: 'HEAD' }],
    ['a pair', '/download-url', { withHead: true }],
    ['an upload', '/upload-url', { ...object, checksumSha256: 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=' }],
    ['a form', '/upload-url', range],
  ])('answers %s as it did the first time, byte for byte, and writes no second row', async (_, path, more) => {
    const [key, body] = [freshKey(), { ...place(), ...more }];
    const first = await t.ask(path, key, body).expect(201);
    // The next second would be another X-Amz-Date.
    await sleep(1_100);
    const again = await t.ask(path, key, body, { at: 1 }).expect(201);
    expect(again.text).toBe(first.text);
    expect(again.headers).toMatchObject({ 'cache-control': 'no-store' });
    expect(await t.rows(body.key)).toHaveLength(1);

    const other = await t.ask(path, freshKey(), body).expect(201);
    expect(other.body.issuanceId).not.toBe(first.body.issuanceId);
    expect(await t.rows(body.key)).toHaveLength(2);
  });

  it.each([1, 2])(
    '100 times at once, on %d replicas, is one issuance with one row, and 100 equal answers',
    async (n) => {
      const [key, body] = [freshKey(), place()];
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, at) => t.ask('/download-url', key, body, { at: n === 1 ? 0 : at })),
      );
      expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
      expect(answers[0]?.status).toBe(201);
      expect(await t.rows(body.key)).toEqual(['download-url granted']);
    },
  );

  it('100 different keys at once are 100 issuances', async () => {
    const body = place();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, at) => t.ask('/download-url', freshKey(), body, { at })),
    );
    expect(new Set(answers.map((answer) => answer.body.issuanceId)).size).toBe(100);
    expect(await t.rows(body.key)).toHaveLength(100);
  });

  it('means the same whatever the order and the spacing of its body', async () => {
    const [key, { bucket, key: path }] = [freshKey(), place()];
    const first = await t.ask('/download-url', key, { bucket, key: path }).expect(201);
    const calls = callsBy(t.installations[0]!.api, t.tenant.token('alice'));
    const again = await calls
      .postBytes('/download-url', `{ "key": ${JSON.stringify(path)},\n "bucket": "files" }`)
      .set('Idempotency-Key', key);
    expect(again.text).toBe(first.text);
  });

  it.each([
    ['another body', '/download-url', { filename: 'other.txt' }],
    ['another operation', '/upload-url', object],
    ['a batch', '/download-urls', null],
  ])('with %s answers 422, and issues nothing', async (_, path, more) => {
    const [key, body] = [freshKey(), place()];
    await t.ask('/download-url', key, body).expect(201);
    const response = await t.ask(path, key, more ? { ...body, ...more } : { items: [body] }).expect(422);
    expect(response.body).toMatchObject({ code: 'idempotency-key-reused' });
    expect(await t.rows(body.key)).toEqual(['download-url granted']);
  });

  it('with two bodies at once answers one of them 201 and the other 422', async () => {
    const key = freshKey();
    const bodies = [place(), place()];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) => t.ask('/download-url', key, bodies[at % 2]!, { at: at >> 1 })),
    );
    const statusesOf = (which: number) =>
      new Set(answers.filter((_, at) => at % 2 === which).map(({ status }) => status));
    const won = statusesOf(0).has(201) ? 0 : 1;
    expect([statusesOf(won), statusesOf(1 - won)]).toEqual([new Set([201]), new Set([422])]);
    expect((await Promise.all(bodies.map((body) => t.rows(body.key)))).flat()).toEqual(['download-url granted']);
  });

  it('is of its subject and its tenant: the same key of another one is another request', async () => {
    // Attack: somebody else's URL, by guessing their key.
    const key = freshKey();
    const first = await t.ask('/download-url', key, place('x')).expect(201);
    const body = { bucket: 'files', key: 'users/bob/x' };
    const bobs = await t.ask('/download-url', key, body, { by: 'bob' }).expect(201);
    expect(bobs.body.issuanceId).not.toBe(first.body.issuanceId);
    const neighbour = await t.installations[0]!.createTenant();
    await neighbour.grant({ subject: { type: 'everyone' }, prefix: '' });
    const theirs = await t.ask('/download-url', key, place('x'), { by: neighbour.token('alice') }).expect(201);
    expect(theirs.body.issuanceId).not.toBe(first.body.issuanceId);
  });

  it('is asked for its permission again: once the grant is gone it is a 403, on record', async () => {
    const [key, body] = [freshKey(), { bucket: 'files', key: `granted/${freshKey()}` }];
    const takeBack = await t.grantOn(body.key);
    const first = await t.ask('/download-url', key, body).expect(201);
    await takeBack();
    expect((await t.ask('/download-url', key, body).expect(403)).body.code).toBe('not-granted');
    expect(await t.rows(body.key)).toEqual(['download-url granted', 'download-url refused not-granted']);

    await t.grantOn(body.key);
    expect((await t.ask('/download-url', key, body).expect(201)).text).toBe(first.text);
  });

  it('after a refusal is judged anew: that is not kept', async () => {
    const [key, body] = [freshKey(), { bucket: 'files', key: `granted/${freshKey()}` }];
    await t.ask('/download-url', key, body).expect(403);
    await t.ask('/download-url', key, { ...body, expiresInSeconds: 1 }).expect(403);
    await t.grantOn(body.key);
    await t.ask('/download-url', key, { ...body, expiresInSeconds: 1 }).expect(422);
    const first = await t.ask('/download-url', key, body).expect(201);
    expect((await t.ask('/download-url', key, body).expect(201)).text).toBe(first.text);
  });

  it('of a key that must be verified first is refused, as a new one would be', async () => {
    const [key, body] = [freshKey(), place()];
    await t.ask('/download-url', key, body).expect(201);
    const strict = { action: 'any', minExpirySeconds: 1, defaultExpirySeconds: 60, maxExpirySeconds: 60 };
    await callsBy(t.installations[0]!.api, t.tenant.admin).put('/use-cases/strict', {
      ...strict,
      requireVerified: true,
    });
    await t.ask('/upload-url', freshKey(), { ...body, ...object, useCase: 'strict' }).expect(201);
    expect((await t.ask('/download-url', key, body).expect(409)).body.code).toBe('not-verified');
  });

  it('of what has expired answers 409: there is nothing left to give', async () => {
    const [key, body] = [freshKey(), { ...place(), useCase: 'free', expiresInSeconds: 1 }];
    await t.ask('/download-url', key, body).expect(201);
    await sleep(2_100);
    const { body: problem } = await t.ask('/download-url', key, body).expect(409);
    expect(problem).toMatchObject({ code: 'idempotency-replay-gone', detail: expect.stringContaining('expired') });
    expect(await t.rows(body.key)).toEqual(['download-url granted', 'download-url refused idempotency-replay-gone']);
  });

  it('of a signing key that is not in use any more answers 409, and the successor signs nothing in its place', async () => {
    // Attack: a URL under a key after everything that is out under it was counted.
    const own = await t.installations[0]!.createTenant({ endpoint: 'http://127.0.0.1:9' });
    await own.grant({ subject: { type: 'everyone' }, prefix: '' });
    const by = own.token('alice');
    const [key, body] = [freshKey(), place()];
    const first = await t.ask('/download-url', key, body, { by }).expect(201);
    const id = '(SELECT signing_key_id FROM ledger WHERE issuance_id = $1)';
    await asOwner(`UPDATE signing_keys SET state = 'retiring' WHERE id = ${id}`, [first.body.issuanceId]);
    const gone = await t.ask('/download-url', key, body, { by }).expect(409);
    expect(gone.body.code).toBe('idempotency-replay-gone');
    await asOwner(
      `INSERT INTO signing_keys (id, tenant_id, bucket_id, access_key_id, sealed_credential, state)
       SELECT gen_random_uuid(), tenant_id, bucket_id, 'SUCCESSOR', sealed_credential, 'active' FROM signing_keys WHERE id = ${id}`,
      [first.body.issuanceId],
    );
    const { body: problem } = await t.ask('/download-url', key, body, { by }).expect(409);
    expect(problem).toMatchObject({ code: 'idempotency-replay-gone', detail: expect.stringContaining('signing key') });
  });

  it('after 24 hours is a new request, and what was kept is removed', async () => {
    const [key, other, body] = [freshKey(), freshKey(), place()];
    const first = await t.ask('/download-url', key, body).expect(201);
    await t.ask('/download-url', other, body).expect(201);
    const over = `UPDATE idempotency_keys SET expires_at = now() - interval '1 ms' WHERE key = ANY($1)`;
    const [{ hours } = { hours: 0 }] = await asOwner<{ hours: number }>(
      `SELECT round(extract(epoch FROM expires_at - now()) / 3600)::int AS hours FROM idempotency_keys WHERE key = $1`,
      [key],
    );
    expect(hours).toBe(24);
    await asOwner(over, [[key, other]]);
    const anew = await t.ask('/download-url', key, { ...body, filename: 'another.txt' }).expect(201);
    expect(anew.body.issuanceId).not.toBe(first.body.issuanceId);
    expect((await t.ask('/download-url', key, { ...body, filename: 'another.txt' }).expect(201)).text).toBe(anew.text);

    expect(await t.installations[1]!.app.get(ForgetKeys).execute()).toBeGreaterThanOrEqual(1);
    expect([await t.kept(other), await t.kept(key)].map(({ length }) => length)).toEqual([0, 1]);
  });

  it.each([
    ['empty', ''],
    ['of 256 characters', 'k'.repeat(256)],
    ['with a space in it', 'a b'],
    ['beyond ASCII', Buffer.from('clé').toString('latin1')],
  ])('a key that is %s is a 400 that names the header', async (_, key) => {
    const { body } = await t.ask('/download-url', key, place()).expect(400);
    expect(body).toMatchObject({ code: 'invalid-request', errors: [{ pointer: '/Idempotency-Key' }] });
  });

  it('a key may be as long as 255 characters, and of any visible ones', async () => {
    const key = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'.padEnd(255, freshKey());
    const body = place();
    const first = await t.ask('/download-url', key, body).expect(201);
    expect((await t.ask('/download-url', key, body).expect(201)).text).toBe(first.text);
  });
});

describe('What is kept', () => {
  it('is the terms, and neither a URL with a query, a signature nor a secret', async () => {
    for (const [path, more] of [
      ['/download-url', { filename: 'a.txt' }],
      ['/upload-url', object],
      ['/upload-url', range],
    ] as const) {
      const key = freshKey();
      const { body } = await t.ask(path, key, { ...place(), ...more }).expect(201);
      const stored = JSON.stringify(await t.kept(key));
      const signature = /X-Amz-Signature=(\w+)/.exec(body.url)?.[1] ?? (body.fields['X-Amz-Signature'] as string);
      expect(signature).toMatch(/^[0-9a-f]{64}$/);
      for (const secret of [signature, 'X-Amz', process.env['STORAGE_SECRET_ACCESS_KEY'] ?? 'missing'])
        expect(stored).not.toContain(secret);
      expect(stored).toContain(body.issuanceId);
    }
  });
});

describe('A request without a key', () => {
  const named = (calls: [string, number][]) => calls.map(([name]) => name);

  it('costs what it always did: one read and one append, and nothing is kept', async () => {
    const [installation] = t.installations;
    const calls = callsBy(installation!.api, t.tenant.token('alice'));
    const count = () =>
      asOwner<{ n: number }>(
        'SELECT count(*)::int AS n FROM idempotency_keys WHERE tenant_id = (SELECT id FROM tenants WHERE slug = $1)',
        [t.tenant.slug],
      );
    // Its token is known by now.
    await calls.post('/download-url', place()).expect(201);
    const before = await count();
    const single = await statementsOf(installation!, () => calls.post('/download-url', place()).expect(201));
    expect(named(single)).toEqual(['find_holdings', 'append_to_ledger']);
    const batch = await statementsOf(installation!, () =>
      calls.post('/upload-urls', { items: [{ ...place(), ...object }] }).expect(200),
    );
    expect(named(batch)).toEqual(['find_holdings', 'append_to_ledger']);
    expect(await count()).toEqual(before);
  });

  it('and one with a key one look more, of which the append is the same statement as the keeping', async () => {
    const [installation] = t.installations;
    const [key, body] = [freshKey(), place()];
    const first = await statementsOf(installation!, () => t.ask('/download-url', key, body).expect(201));
    expect(named(first)).toEqual(['find_idempotency_keys', 'find_holdings', 'append_once']);
    const again = await statementsOf(installation!, () => t.ask('/download-url', key, body).expect(201));
    expect(named(again)).toEqual(['find_idempotency_keys', 'find_holdings']);
  });
});
