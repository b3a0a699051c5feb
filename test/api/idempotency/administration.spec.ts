import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { storeBucket, type Tenant } from '../../support/installation.js';
import { operations } from '../../proof/document.js';
import { asOwner, callsBy } from '../calls.js';
import { freshKey, Replicas } from './replicas.js';

let t: Replicas;
beforeAll(async () => {
  t = await Replicas.start();
});
afterAll(() => t.stop());

const credential = () => ({ accessKeyId: `KEY${randomUUID().slice(0, 8)}`, secretAccessKey: 'a-secret-of-the-test' });

/** A rotation that waits: its new key is asked about, at a store that does not answer. */
async function tenantWithoutStore(): Promise<Tenant> {
  return t.installations[0]!.createTenant({ endpoint: 'http://127.0.0.1:9' });
}
const rotation = { bucket: 'files', mode: 'graceful', reason: 'r' };

interface Case {
  path: string;
  body: object;
  by: string;
  status: number;
  /** What there is one more of, each time that it is done. */
  made: { table: string; where: string; value: string };
  other: object;
}

/** One of each, ready to be done. */
const CASES: Record<string, () => Promise<Case>> = {
  createGrant: async () => {
    const prefix = `${randomUUID()}/`;
    const body = { subject: { type: 'everyone' }, bucket: 'files', prefix, actions: ['read'] };
    const made = { table: 'grants', where: 'path', value: prefix };
    return { path: '/grants', body, by: t.tenant.admin, status: 201, made, other: { ...body, actions: ['write'] } };
  },
  createBucket: async () => {
    const name = `b-${randomUUID()}`;
    const body = { ...storeBucket(), name };
    const made = { table: 'buckets', where: 'name', value: name };
    return { path: '/buckets', body, by: t.tenant.admin, status: 201, made, other: { ...body, keyPrefix: 'other/' } };
  },
  createTenant: async () => {
    const slug = `t-${randomUUID()}`;
    const made = { table: 'tenants', where: 'slug', value: slug };
    const by = t.installations[0]!.operator;
    return { path: '/tenants', body: { slug, name: 'A' }, by, status: 201, made, other: { slug, name: 'B' } };
  },
  createIssuer: async () => {
    const issuer = `https://${randomUUID()}.test`;
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' }] };
    const body = { tenant: t.tenant.slug, issuer, audience: 'a', jwks };
    const made = { table: 'issuers', where: 'issuer', value: issuer };
    const by = t.installations[0]!.operator;
    return { path: '/issuers', body, by, status: 201, made, other: { ...body, audience: 'b' } };
  },
  startRotation: async () => {
    const { admin } = await tenantWithoutStore();
    const reason = randomUUID();
    const body = { ...rotation, reason, credential: credential() };
    const made = { table: 'rotations', where: 'reason', value: reason };
    return { path: '/rotations', body, by: admin, status: 202, made, other: { ...body, mode: 'immediate' } };
  },
  revokeSigningKey: async () => {
    const { admin } = await tenantWithoutStore();
    const { body } = await callsBy(t.installations[0]!.api, admin).get('/signing-keys').expect(200);
    const reason = randomUUID();
    const made = { table: 'rotations', where: 'reason', value: reason };
    const path = `/signing-keys/${body.items[0].id}/revocation`;
    return { path, body: { reason }, by: admin, status: 202, made, other: { reason: 'another' } };
  },
  retryRotation: async () => {
    const { admin } = await tenantWithoutStore();
    const calls = callsBy(t.installations[0]!.api, admin);
    const { id } = (await calls.post('/rotations', { ...rotation, credential: credential() }).expect(202)).body;
    const given = credential();
    const made = { table: 'signing_keys', where: 'access_key_id', value: given.accessKeyId };
    const body = { credential: given };
    return { path: `/rotations/${id}/retry`, body, by: admin, status: 202, made, other: { credential: credential() } };
  },
  escalateRotation: async () => {
    const { admin } = await tenantWithoutStore();
    const calls = callsBy(t.installations[0]!.api, admin);
    const { id } = (await calls.post('/rotations', { ...rotation, credential: credential() }).expect(202)).body;
    // As if its URLs were waited for; no worker looks at it meanwhile.
    await asOwner(
      `UPDATE rotations SET step = 'wait-for-urls', state = 'waiting', due_at = now() + interval '1 day', lease = NULL WHERE id = $1`,
      [id],
    );
    const reason = randomUUID();
    const made = { table: 'ledger', where: `details->>'reason'`, value: reason };
    return {
      path: `/rotations/${id}/escalation`,
      body: { reason },
      by: admin,
      status: 202,
      made,
      other: { reason: 'x' },
    };
  },
};

const countOf = async ({ made: { table, where, value } }: Case): Promise<number> => {
  const [row] = await asOwner<{ n: number }>(`SELECT count(*)::int AS n FROM ${table} WHERE ${where} = $1`, [value]);
  return row?.n ?? 0;
};

const byNumber = (one: number, other: number): number => one - other;

describe.each(Object.keys(CASES))('%s with an Idempotency-Key', (operation) => {
  it('is done once, and answers the same again, also when it comes ten times at once', async () => {
    const [key, one] = [freshKey(), await CASES[operation]!()];
    const answers = await t.atOnce(10, one.path, key, one.body, one.by);
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(one.status);
    expect(await countOf(one)).toBe(1);
    const again = await t.ask(one.path, key, one.body, { by: one.by, at: 1 }).expect(one.status);
    expect(again.text).toBe(answers[0]?.text);
    if (operation === 'startRotation') expect(again.headers['location']).toBe(`/rotations/${again.body.id}`);
  }, 60_000);

  it('answers 422 with another body, and changes nothing', async () => {
    const [key, one] = [freshKey(), await CASES[operation]!()];
    const first = await t.ask(one.path, key, one.body, { by: one.by }).expect(one.status);
    const { body } = await t.ask(one.path, key, one.other, { by: one.by }).expect(422);
    expect(body.code).toBe('idempotency-key-reused');
    expect((await t.ask(one.path, key, one.body, { by: one.by }).expect(one.status)).text).toBe(first.text);
    expect(await countOf(one)).toBe(1);
  });

  it('keeps no secret', async () => {
    // Attack: a read of the database, where no secret stands in the clear.
    const [key, one] = [freshKey(), await CASES[operation]!()];
    const { text } = await t.ask(one.path, key, one.body, { by: one.by }).expect(one.status);
    const [kept] = await t.kept(key);
    expect(kept?.answer).toBe(text);
    for (const secret of ['a-secret-of-the-test', process.env['STORAGE_SECRET_ACCESS_KEY'] ?? 'missing'])
      expect(JSON.stringify(kept)).not.toContain(secret);
  });
});

describe('An administrative call with an Idempotency-Key', () => {
  it('that failed is done when it comes again: a refusal is not kept', async () => {
    const [key, name] = [freshKey(), `b-${randomUUID()}`];
    const grant = { subject: { type: 'everyone' }, bucket: name, prefix: '', actions: ['read'] };
    const by = t.tenant.admin;
    await t.ask('/grants', key, grant, { by }).expect(422);
    expect(await t.kept(key)).toEqual([]);
    await t.ask('/buckets', freshKey(), { ...storeBucket(), name }, { by }).expect(201);
    await t.ask('/grants', key, grant, { by }).expect(201);
  });

  it('without it fails as ever when it comes again', async () => {
    const one = await CASES['createBucket']!();
    await t.ask(one.path, freshKey(), one.body, { by: one.by }).expect(201);
    expect((await t.ask(one.path, freshKey(), one.body, { by: one.by }).expect(409)).body.code).toBe('already-exists');
  });

  it('needs its scope again', async () => {
    const [key, one] = [freshKey(), await CASES['createGrant']!()];
    await t.ask(one.path, key, one.body, { by: t.tenant.token('carol', 'admin:tenant') }).expect(201);
    await t.ask(one.path, key, one.body, { by: t.tenant.token('carol', 'read:objects') }).expect(403);
  });

  it('shares its keys with the issuing calls of its subject: one key is one request', async () => {
    const [one, object] = [await CASES['createGrant']!(), { bucket: 'files', key: 'users/admin/x' }];
    const [before, after] = [freshKey(), freshKey()];
    await t.ask('/download-url', before, object, { by: one.by }).expect(201);
    await t.ask(one.path, before, one.body, { by: one.by }).expect(422);
    await t.ask(one.path, after, one.body, { by: one.by }).expect(201);
    await t.ask('/download-url', after, object, { by: one.by }).expect(422);
    expect(await countOf(one)).toBe(1);
  });

  it('at the same moment as an issuing call with the same key: one is done, and the other is told', async () => {
    for (let round = 0; round < 5; round++) {
      const [key, one] = [freshKey(), await CASES['createGrant']!()];
      const path = `users/admin/${randomUUID()}`;
      const [granted, issued] = await Promise.all([
        t.ask(one.path, key, one.body, { by: one.by, at: round }),
        t.ask('/download-url', key, { bucket: 'files', key: path }, { by: one.by, at: round + 1 }),
      ]);
      expect([granted.status, issued.status].toSorted(byNumber)).toEqual([201, 422]);
      expect([await countOf(one), (await t.rows(path)).length].toSorted(byNumber)).toEqual([0, 1]);
    }
  });

  it('after a day is another request', async () => {
    const [key, one] = [freshKey(), await CASES['createGrant']!()];
    await t.ask(one.path, key, one.body, { by: one.by }).expect(201);
    await asOwner(`UPDATE idempotency_keys SET expires_at = now() - interval '1 ms' WHERE key = $1`, [key]);
    await t.ask(one.path, key, one.other, { by: one.by }).expect(201);
    await t.ask(one.path, key, one.other, { by: one.by }).expect(201);
    expect(await countOf(one)).toBe(2);
  });

  it('that is a dry run makes nothing, and leaves the key to what is done after it', async () => {
    const one = await CASES['startRotation']!();
    const key = freshKey();
    await t.ask('/rotations?dryRun=true', key, one.body, { by: one.by }).expect(200);
    await t.ask('/rotations', key, one.body, { by: one.by }).expect(202);
    expect(await countOf(one)).toBe(1);
  });

  it('whose key is none is a 400, and nothing is made', async () => {
    const one = await CASES['createTenant']!();
    const { body } = await t.ask(one.path, 'a b', one.body, { by: one.by }).expect(400);
    expect(body.errors).toMatchObject([{ pointer: '/Idempotency-Key' }]);
    expect(await countOf(one)).toBe(0);
  });
});

describe('openapi.json', () => {
  it('names the header at every POST that creates or issues, and at no other operation', () => {
    const named = operations.filter(({ parameters }) => parameters.some(({ name }) => name === 'Idempotency-Key'));
    const issuing = [
      'createDownloadUrl',
      'createDownloadUrls',
      'createUploadUrl',
      'createUploadUrls',
      'createPartUrls',
      'createUppyUpload',
    ];
    expect(named.map(({ id }) => id).toSorted()).toEqual([...Object.keys(CASES), ...issuing].toSorted());
    const others = operations.filter(({ id, method }) => method === 'post' && !named.some((each) => each.id === id));
    // They make nothing, or are the same again by themselves.
    expect(others.map(({ id }) => id).toSorted()).toEqual([
      'checkBucket',
      'checkPermissions',
      'completeUppyUpload',
      'createUploadCompletion',
    ]);
  });
});
