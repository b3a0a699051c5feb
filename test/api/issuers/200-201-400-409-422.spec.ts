import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { type Calls, callsBy, pointersOf } from '../calls.js';

describe('/issuers', () => {
  let installation: Installation;
  let tenant: Tenant;
  let operator: Calls;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k' };
  const rsa = (modulusLength: number) =>
    generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' });
  const fresh = (more: object = {}) => ({
    tenant: tenant.slug,
    issuer: `https://${randomUUID()}.test`,
    audience: 'countersign',
    jwks: { keys: [jwk] },
    ...more,
  });

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    operator = callsBy(installation.api, installation.operator);
  });
  afterAll(() => installation.close());

  it("POST answers 201 with the issuer, on record in its tenant's ledger", async () => {
    const wanted = fresh();
    const { body: issuer } = await operator.post('/issuers', wanted).expect(201);
    expect(issuer).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      ...wanted,
      algorithms: ['ES384'],
      jwksUri: null,
      tenantClaim: null,
      tenants: [],
      subjectClaim: 'sub',
      groupsClaim: 'groups',
      scopeClaim: 'scope',
      scopePrefix: '',
      platform: false,
      createdAt: expect.any(String),
    });
    const [event] = await tenant.events();
    expect(event).toMatchObject({
      action: 'issuer.created',
      subject: 'operator',
      decision: 'granted',
      details: { issuer },
    });
  });

  it.each<[string, object[], string[]]>([
    ['RS256 for RSA', [rsa(2048)], ['RS256']],
    ['what the key names', [{ ...rsa(2048), alg: 'PS512' }], ['PS512']],
    [
      'each of several',
      [
        { ...rsa(2048), kid: 'a' },
        { ...jwk, kid: 'b' },
      ],
      ['RS256', 'ES384'],
    ],
  ])('POST takes for the algorithms, where none are named, %s', async (_, keys, algorithms) => {
    const { body } = await operator.post('/issuers', fresh({ jwks: { keys } })).expect(201);
    expect(body.algorithms).toEqual(algorithms);
  });

  it('GET answers 200 with them', async () => {
    const { body: made } = await operator.post('/issuers', fresh()).expect(201);
    const before = `${made.id.slice(0, -1)}0`;
    const cursor = Buffer.from(
      JSON.stringify([before === made.id ? made.id.replace(/.{12}$/, '0'.repeat(12)) : before]),
    );
    const { body } = await operator.get('/issuers', { cursor: cursor.toString('base64url'), limit: '200' }).expect(200);
    expect(body.items).toContainEqual(made);
  });

  it('POST answers 409 for an issuer and audience that are taken, by whichever tenant', async () => {
    // Attack: somebody else's tokens, believed for one's own tenant.
    const other = await installation.createTenant();
    const body = fresh();
    await operator.post('/issuers', body).expect(201);
    const taken = await operator.post('/issuers', { ...body, tenant: other.slug }).expect(409);
    expect(taken.body).toMatchObject({ code: 'already-exists', errors: [{ pointer: '/issuer' }] });
    await expect(other.events({ action: 'issuer.created' })).resolves.toHaveLength(1);
    await operator.post('/issuers', { ...body, audience: 'another' }).expect(201);
  });

  it('POST answers 422 for a tenant that is not there', async () => {
    const { body } = await operator.post('/issuers', fresh({ tenant: 'nobody' })).expect(422);
    expect(body).toMatchObject({
      code: 'unknown-reference',
      errors: [{ code: 'unknown-reference', pointer: '/tenant' }],
    });
  });

  it.each<[string, unknown]>([
    ['none', undefined],
    ['null', null],
    ['a list', [jwk]],
    ['no keys', { keys: [] }],
    ['keys that are no list', { keys: jwk }],
    ['51 keys', { keys: Array.from({ length: 51 }, (_, n) => ({ ...jwk, kid: String(n) })) }],
    ['null among the keys', { keys: [jwk, null] }],
    ['two keys of one kid', { keys: [jwk, jwk] }],
    ['a symmetric key', { keys: [{ kty: 'oct', k: 'c2VjcmV0', alg: 'HS256' }] }],
    ['a private key', { keys: [privateKey.export({ format: 'jwk' })] }],
    ['a short RSA key', { keys: [rsa(1024)] }],
    ['a point that is on no curve', { keys: [{ ...jwk, x: jwk.y }] }],
    ['a curve that we do not know', { keys: [{ ...jwk, crv: 'secp256k1' }] }],
    ['an Edwards key', { keys: [generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })] }],
    ['a kid that is a number', { keys: [{ ...jwk, kid: 1 }] }],
    ['a kid that no database can hold', { keys: [{ ...jwk, kid: 'a\0' }] }],
    ['half a character in a member', { keys: [{ ...jwk, note: '\ud800' }] }],
    ['NUL in the name of a member', { keys: [jwk], 'a\0': 1 }],
  ])('POST answers 400 for a JWKS with %s', async (_, jwks) => {
    const response = await operator.post('/issuers', fresh({ jwks }));
    expect([response.status, pointersOf(response)]).toEqual([400, ['/jwks']]);
    expect(response.text).not.toContain(String(privateKey.export({ format: 'jwk' }).d));
  });

  it.each<[object, string[]]>([
    [{ tenant: undefined }, ['/tenant']],
    [{ issuer: '' }, ['/issuer']],
    [{ issuer: null }, ['/issuer']],
    [{ audience: 'a\0' }, ['/audience']],
    [{ audience: ['a'] }, ['/audience']],
    [{ algorithms: [] }, ['/algorithms']],
    [{ algorithms: ['HS256'] }, ['/algorithms']],
    [{ algorithms: ['none'] }, ['/algorithms']],
    [{ algorithms: ['ES384', 'ES384'] }, ['/algorithms']],
    [{ algorithms: 'ES384' }, ['/algorithms']],
    [{ algorithms: null }, ['/algorithms']],
    [{ platform: 'true' }, ['/platform']],
    [{ tenantId: 'x' }, ['/tenantId']],
  ])('POST answers 400 for %j', async (body, pointers) => {
    const response = await operator.post('/issuers', fresh(body));
    expect([response.status, pointersOf(response)]).toEqual([400, pointers]);
  });
});
