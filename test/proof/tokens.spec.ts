import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { describe as describeApi } from '../../apps/api/src/documents/openapi.js';
import { install, type Installation, type Tenant } from '../support/installation.js';
import { bytesOf, callsBy } from '../api/calls.js';
import { es256, forge, hs256, rsa, unsigned } from '../api/tokens/forge.js';
import { proof } from './record.js';

const believed = proof(
  'A token is believed only as its issuer signed it, within its times, for this audience and this tenant; no two refusals differ',
  'alg none and confusion, keys that tokens bring or name, foreign kids, wrong kinds and edges of every claim, names that come twice, lenient base64, 10 to 16 KB of anything, other schemes, JWKS that redirect, are endless, slow or hold symmetric keys (test/identity/remote-jwks.spec.ts)',
  'crit let through; hasNamesTwice() that finds nothing',
);

const ALL_RSA = ['RS256', 'RS512'];

describe('A call without a good token answers 401', () => {
  let installation: Installation;
  let tenant: Tenant;
  let cases = 0;
  const attacker = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const attackerJwk = attacker.publicKey.export({ format: 'jwk' });
  const rsaKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
  });
  afterAll(() => installation.close());
  afterAll(() => believed.record({ cases, figure: `0 of ${cases} taken, all refused by the same bytes` }));
  afterEach(() => void jest.restoreAllMocks());

  const now = () => Math.floor(Date.now() / 1000);
  const claims = () => ({
    iss: tenant.issuer,
    aud: tenant.audience,
    sub: 'alice',
    scope: 'admin:tenant',
    exp: now() + 600,
  });
  const header = { alg: 'ES256', kid: 'key-1', typ: 'JWT' };
  const token = (more: { header?: object; claims?: object | string; key?: KeyObject } = {}) =>
    forge(
      { ...header, ...more.header },
      typeof more.claims === 'string' ? more.claims : { ...claims(), ...more.claims },
      es256(more.key ?? tenant.privateKey),
    );

  async function call(authorization?: string) {
    const request = installation.api.get('/grants');
    const response = await (authorization === undefined ? request : request.set('authorization', authorization));
    const { date: _, 'x-request-id': requestId, ...headers } = response.headers as Record<string, string>;
    return { status: response.status, text: bytesOf(response), headers, requestId };
  }

  /** No two answers to a bad token differ, or trying tokens would teach something. */
  async function expectRefused(authorization: string) {
    const [{ requestId, ...refused }, { requestId: _, ...anonymous }] = await Promise.all([
      call(authorization),
      call(),
    ]);
    expect(refused).toEqual(anonymous);
    expect(refused.status).toBe(401);
    cases++;
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/);
  }

  const expectTaken = async (raw: string) => expect((await call(`Bearer ${raw}`)).status).toBe(200);

  /** An issuer of the tenant's with these keys, and the claims of a good token of it. */
  async function issuerWith(keys: object[], more: object = {}, owner = tenant) {
    const issuer = `https://${keys.length}-${Math.random()}.test`;
    const body = { tenant: owner.slug, issuer, audience: 'countersign', jwks: { keys }, ...more };
    await callsBy(installation.api, installation.operator).post('/issuers', body).expect(201);
    return { iss: issuer };
  }

  it('while the token that the attacks below are made of is taken', () => expectTaken(token()));

  it('with a problem and a challenge', async () => {
    const { text, headers } = await call();
    expect(text).toBe(
      '{"type":"/docs/errors#unauthenticated","title":"No valid access token","status":401,"code":"unauthenticated","detail":"The call needs a valid access token: \\"Authorization: Bearer <JWT>\\".","requestId":"…"}',
    );
    expect(headers).toMatchObject({
      'www-authenticate': 'Bearer realm="countersign"',
      'content-type': 'application/problem+json; charset=utf-8',
      'cache-control': 'no-store',
    });
  });

  it('on every route that is not public by its own word', async () => {
    // Attack: a route that was added and forgotten.
    const open: string[] = [];
    for (const [path, operations] of Object.entries(describeApi(installation.app).paths)) {
      for (const method of Object.keys(operations)) {
        const address = path.replaceAll(/\{\w+\}/g, 'some');
        const { status } = await installation.api[method as 'get'](address);
        if (status !== 401) open.push(`${method} ${path}`);
      }
    }
    expect(open).toEqual(['get /healthz', 'get /readyz']);
  });

  // Attack: what makes verifiers guess, crash or wait.
  it.each<[string, () => string]>([
    ['an empty header', () => ''],
    ['a scheme and nothing else', () => 'Bearer'],
    ['Basic', () => `Basic ${Buffer.from('alice:secret').toString('base64')}`],
    ['the token under another scheme', () => `Token ${token()}`],
    ['10 KB of garbage', () => `Bearer ${'A'.repeat(10_240)}`],
    ['10 KB of dots', () => `Bearer ${'.'.repeat(10_240)}`],
    ['one part', () => `Bearer ${token().split('.')[0]}`],
    ['anything behind a good one', () => `Bearer ${token()} x`],
    ['two good ones', () => `Bearer ${token()} ${token()}`],
    ['two parts', () => `Bearer ${token().split('.').slice(0, 2).join('.')}`],
    ['four parts', () => `Bearer ${token()}.AAAA`],
    ['an empty signature', () => `Bearer ${token().replace(/[^.]+$/, '')}`],
    ['padding', () => `Bearer ${token()}==`],
    ['base64 that is not canonical', () => `Bearer ${token().slice(0, -1)}${nextInAlphabet(token().at(-1))}`],
    ['claims that are no object', () => `Bearer ${token({ claims: '[]' })}`],
    ['a claim that comes twice', () => `Bearer ${token({ claims: twice('"sub":"root"') })}`],
    ['a claim that comes twice, once escaped', () => `Bearer ${token({ claims: twice('"s\\u0075b":"root"') })}`],
    ['a name that comes twice inside a claim', () => `Bearer ${token({ claims: twice('"a":{"b":[{"c":1,"c":1}]}') })}`],
    ['15 KB of a claim', () => `Bearer ${token({ claims: { sub: 'a'.repeat(11_000) } })}`],
    ['15 KB of a good token and more', () => `Bearer ${token({ claims: { more: 'a'.repeat(11_000) } })}A`],
    ['claims that are no JSON', () => `Bearer ${token({ claims: '{' })}`],
  ])('for %s', (_, authorization) => expectRefused(authorization()));

  // Attack: the token chooses how it is to be verified, or brings its own key.
  it.each<[string, () => string]>([
    ['alg none', () => forge({ ...header, alg: 'none' }, claims(), unsigned)],
    ['alg None, with a signature', () => token({ header: { alg: 'None' } })],
    ['no alg', () => token({ header: { alg: undefined } })],
    ['alg as an array', () => token({ header: { alg: ['ES256'] } })],
    ['HS256 by the public key as PEM', () => forge({ ...header, alg: 'HS256' }, claims(), hs256(publicPem()))],
    ['HS256 by the public key as a JWK', () => forge({ ...header, alg: 'HS256' }, claims(), hs256(publicJwk()))],
    ['HS256 by an empty secret', () => forge({ ...header, alg: 'HS256' }, claims(), hs256(''))],
    ['an embedded jwk', () => token({ header: { jwk: attackerJwk }, key: attacker.privateKey })],
    ['an embedded jwk, though the key is ours', () => token({ header: { jwk: attackerJwk } })],
    ['jku', () => token({ header: { jku: 'https://attacker.test/jwks.json' } })],
    ['x5u', () => token({ header: { x5u: 'https://attacker.test/x.pem' } })],
    ['x5c', () => token({ header: { x5c: ['MIIB'] } })],
    ['crit', () => token({ header: { crit: ['exp'] } })],
    ['crit and b64', () => token({ header: { crit: ['b64'], b64: false } })],
    ['the kid of no key of ours', () => token({ header: { kid: 'key-2' } })],
    ['a kid that is no string', () => token({ header: { kid: 1 } })],
    ['a kid that is a path', () => token({ header: { kid: '../../dev/null' } })],
    ["another's key under our kid", () => token({ key: attacker.privateKey })],
    ['a token for another purpose', () => token({ header: { typ: 'dpop+jwt' } })],
  ])('for %s', (_, raw) => expectRefused(`Bearer ${raw()}`));

  // Attack: claims that are missing, of another kind, or somebody else's.
  it.each<[string, object]>([
    ['no exp', { exp: undefined }],
    ['exp as a string', { exp: String(now() + 600) }],
    ['exp null', { exp: null }],
    ['nbf as a string', { nbf: '0' }],
    ['no iss', { iss: undefined }],
    ['a wrong iss', { iss: 'https://nobody.test' }],
    ['an iss with NUL', { iss: 'https://nobody.test\0' }],
    ['an iss that is half a character', { iss: '\ud800' }],
    ['no aud', { aud: undefined }],
    ['a wrong aud', { aud: 'another' }],
    ['an empty list as aud', { aud: [] }],
    ['an aud with NUL', { aud: ['countersign', '\0'] }],
    ['an aud that is half a character', { aud: '\udfff' }],
    ['no sub', { sub: undefined }],
    ['an empty sub', { sub: '' }],
    ['a sub with NUL', { sub: 'alice\0' }],
    ['a sub that is half a character', { sub: '\ud83d' }],
    ['a sub of 256 characters', { sub: 'a'.repeat(256) }],
    ['a sub that is a number', { sub: 1 }],
    ["a sub under which a rotation's own URLs stand, and count for nobody", { sub: 'system:rotation' }],
    ['a sub under which the ledger names what nobody asked for', { sub: 'system:uploads' }],
    ['a sub under which the ledger has what nobody asked for', { sub: 'system:seed' }],
    ['groups that are no list', { groups: 'staff' }],
    ['a group that is no string', { groups: ['staff', 1] }],
    ['a group with NUL', { groups: ['\0'] }],
    ['scope that is neither text nor a list of it', { scope: { 'admin:tenant': true } }],
    ['a scope that is no string', { scope: ['admin:tenant', 1] }],
  ])('for %s', (_, changed) => expectRefused(`Bearer ${token({ claims: changed })}`));

  it('from 30 seconds after exp on, and until 30 seconds before nbf', async () => {
    const frozen = now();
    jest.spyOn(Date, 'now').mockReturnValue(frozen * 1000);
    await expectTaken(token({ claims: { exp: frozen - 29 } }));
    await expectRefused(`Bearer ${token({ claims: { exp: frozen - 30 } })}`);
    await expectTaken(token({ claims: { nbf: frozen + 30 } }));
    await expectRefused(`Bearer ${token({ claims: { nbf: frozen + 31 } })}`);
  });

  it('for an audience that names two tenants', async () => {
    // Attack: which tenant is it? Whichever the look-up happens to find first.
    const another = await installation.createTenant();
    const jwk = { ...createPublicKey(tenant.privateKey).export({ format: 'jwk' }), kid: 'key-1' };
    const { iss } = await issuerWith([jwk]);
    const body = { tenant: another.slug, issuer: iss, audience: 'theirs', jwks: { keys: [jwk] } };
    await callsBy(installation.api, installation.operator).post('/issuers', body).expect(201);

    await expectTaken(token({ claims: { iss, aud: ['countersign', 'https://userinfo.test'] } }));
    await expectRefused(`Bearer ${token({ claims: { iss, aud: ['countersign', 'theirs'] } })}`);
  });

  it('for a token without kid that two keys fit, though not where one alone does', async () => {
    const keys = [attackerJwk, createPublicKey(tenant.privateKey).export({ format: 'jwk' })];
    const { iss } = await issuerWith(keys);
    await expectRefused(`Bearer ${token({ claims: { iss }, header: { kid: undefined } })}`);
    const { iss: ofOne } = await issuerWith(keys.slice(1));
    await expectTaken(token({ claims: { iss: ofOne }, header: { kid: undefined } }));
  });

  // Attack: a key that was made for one thing is used for another.
  it.each<[string, string, object, object]>([
    ['a key for encryption', 'RS256', { use: 'enc' }, { algorithms: ['RS256'] }],
    ['a key that may not verify', 'RS256', { key_ops: ['wrapKey'] }, { algorithms: ['RS256'] }],
    [
      "a key of another algorithm, though it is on the issuer's list",
      'RS256',
      { alg: 'RS512' },
      { algorithms: ALL_RSA },
    ],
    ["an algorithm that is not on the issuer's list", 'RS512', {}, { algorithms: ['RS256'] }],
    ['an elliptic algorithm and an RSA key', 'ES256', {}, { algorithms: ['RS256', 'ES256'] }],
  ])('for %s', async (_, alg, member, more) => {
    const jwk = { ...rsaKeys.publicKey.export({ format: 'jwk' }), kid: 'key-1' };
    const { iss } = await issuerWith([{ ...jwk, ...member }], more);
    const { iss: fitting } = await issuerWith([jwk], { algorithms: ALL_RSA });
    const signature = rsa(rsaKeys.privateKey, alg === 'RS512' ? 'sha512' : 'sha256');

    await expectRefused(`Bearer ${forge({ ...header, alg }, { ...claims(), iss }, signature)}`);
    const good = forge({ ...header, alg: alg.replace('ES', 'RS') }, { ...claims(), iss: fitting }, signature);
    await expectTaken(good);
  });

  /** The claims of a good token, and these behind them. */
  const twice = (more: string) => JSON.stringify(claims()).replace(/}$/, `,${more}}`);
  const publicPem = () => createPublicKey(tenant.privateKey).export({ format: 'pem', type: 'spki' });
  const publicJwk = () =>
    JSON.stringify({
      ...createPublicKey(tenant.privateKey).export({ format: 'jwk' }),
      kid: 'key-1',
      alg: 'ES256',
      use: 'sig',
    });
});

/** The last of the 86 characters of a 64-byte signature carries 2 bits of 6: its neighbour decodes to the same bytes. */
function nextInAlphabet(character = ''): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(character) + 1] ?? '';
}
