import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { algorithmsOf, jwksFault, type JsonWebKeySet, SUPPORTED_ALGORITHMS } from '@countersign/identity';
import { selectKey } from '../../libs/identity/src/jwks.js';
import { readToken } from '../../libs/identity/src/token.js';
import { VerificationKeys } from '../../libs/identity/src/verification-keys.js';

const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
const [p256, p384, p521] = [ec('P-256'), ec('P-384'), ec('P-521')];

describe('selectKey', () => {
  const jwks: JsonWebKeySet = {
    keys: [
      { ...p256, kid: 'a' },
      { ...p384, kid: 'b' },
      { ...rsa, kid: 'c' },
      { ...p521, kid: 'd', use: 'enc' },
      { ...rsa, kid: 'e', alg: 'PS256' },
    ],
  };
  const kidOf = (header: { alg: string; kid?: string }) => selectKey(jwks, header)?.kid ?? null;

  it('finds the one key that fits kid, kind, curve, algorithm and use', () => {
    expect(kidOf({ alg: 'ES256', kid: 'a' })).toBe('a');
    expect(kidOf({ alg: 'ES384' })).toBe('b');
    expect(kidOf({ alg: 'RS256', kid: 'c' })).toBe('c');
    expect(kidOf({ alg: 'PS256', kid: 'e' })).toBe('e');
  });

  it('finds none where kid, kind, curve, algorithm or use differ, or two fit', () => {
    for (const header of [
      { alg: 'ES384', kid: 'a' },
      { alg: 'ES256', kid: 'b' },
      { alg: 'RS256', kid: 'a' },
      { alg: 'ES256', kid: 'c' },
      { alg: 'ES512', kid: 'd' },
      { alg: 'ES512' },
      { alg: 'RS256', kid: 'e' },
      { alg: 'PS256' },
      { alg: 'ES256', kid: 'A' },
      { alg: 'ES256', kid: '' },
    ])
      expect([header, kidOf(header)]).toEqual([header, null]);
  });

  it('finds none for an algorithm that is none', () => {
    // Attack: names that an object has by itself, or that mean no key at all.
    for (const alg of ['none', 'HS256', 'EdDSA', 'constructor', '__proto__', 'toString', ''])
      expect(selectKey({ keys: [{ ...p256 }, {}] as JsonWebKeySet['keys'] }, { alg })).toBeNull();
  });
});

describe('A registered JWKS', () => {
  it('is believed for what its keys are for, and never for a symmetric algorithm', () => {
    expect(algorithmsOf({ keys: [p256, p384, p521, rsa] })).toEqual(['ES256', 'ES384', 'ES512', 'RS256']);
    expect(
      algorithmsOf({
        keys: [
          { ...rsa, alg: 'PS384' },
          { ...rsa, alg: 'HS256' },
        ],
      }),
    ).toEqual(['PS384']);
    expect(SUPPORTED_ALGORITHMS.filter((name) => !/^(?:RS|PS|ES)(?:256|384|512)$/.test(name))).toEqual([]);
  });

  it('holds public keys only', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(jwksFault({ keys: [p256, rsa] })).toBeNull();
    expect(jwksFault({ keys: [privateKey.export({ format: 'jwk' })] })).toContain('private');
    expect(jwksFault({ keys: [{ ...rsa, k: 'x' }] })).toContain('private');
    expect(jwksFault({ keys: [{ kty: 'oct', k: 'x' }] })).toContain('symmetric');
  });
});

describe('VerificationKeys', () => {
  it('keeps a key by its whole text: another key under the same kid is another key', () => {
    // Attack on rotation of an issuer's keys: the old one is still believed because its name is known.
    const keys = new VerificationKeys(2);
    const [one, other] = [ec('P-256'), ec('P-256')];
    const get = (jwk: object) =>
      keys.select({ keys: [{ ...jwk, kid: 'k' }] as JsonWebKeySet['keys'] }, { alg: 'ES256', kid: 'k' });
    const first = get(one);
    expect(get(one)).toBe(first);
    expect(get(other)?.export({ format: 'jwk' })).toEqual(other);
    expect(get(one)?.export({ format: 'jwk' })).toEqual(one);
  });

  it('gives up the one that was used longest ago where there are too many', () => {
    const keys = new VerificationKeys(2);
    const [a, b, c] = [ec('P-256'), ec('P-256'), ec('P-256')];
    const get = (jwk: object) => keys.select({ keys: [jwk] as JsonWebKeySet['keys'] }, { alg: 'ES256' });
    const [first, second] = [get(a), get(b)];
    expect(get(a)).toBe(first);
    get(c);
    expect(get(a)).toBe(first);
    expect(get(b)).not.toBe(second);
  });
});

describe('readToken', () => {
  const encode = (part: unknown) =>
    Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
  const claims = { iss: 'i', aud: 'a', exp: 1 };
  const read = (header: unknown, body: unknown = claims, signature = 'AAAA') =>
    readToken(`${encode(header)}.${encode(body)}.${signature}`);

  it('tells what the issuer is to be found by, and no more', () => {
    expect(read({ alg: 'ES256', typ: 'at+JWT', kid: 'k', other: 1 }, { ...claims, sub: 's' })).toEqual({
      header: { alg: 'ES256', kid: 'k' },
      issuer: 'i',
      audiences: ['a'],
    });
    expect(read({ alg: 'none' }, { ...claims, aud: ['a', 'b'] })).toEqual({
      header: { alg: 'none' },
      issuer: 'i',
      audiences: ['a', 'b'],
    });
  });

  it.each([
    ['a BOM', '\ufeff{"alg":"ES256"}'],
    ['a list', []],
    ['null', 'null'],
    ['a string', '"alg"'],
    ['typ that is no string', { alg: 'ES256', typ: 1 }],
    ['an ID token of another protocol', { alg: 'ES256', typ: 'secevent+jwt' }],
    ['x5c, though null', { alg: 'ES256', x5c: null }],
    ['crit, though empty', { alg: 'ES256', crit: [] }],
  ])('reads nothing from a header with %s', (_, header) => {
    expect(read(header)).toBeNull();
  });

  it('reads nothing from what has not three parts of JSON', () => {
    for (const raw of ['', '.', '..', '...', 'a.b', 'é.é.é', ' ', 'null.null.null', 'a.'.repeat(10_000)])
      expect(readToken(raw)).toBeNull();
  });

  it('reads one spelling of the same bytes and no other', () => {
    const header = { alg: 'ES256' };
    expect(read(header, claims, 'AAA')).not.toBeNull();
    for (const spelling of ['AAB', 'AAA=', 'A A A', 'AA', 'AA\n', 'A+A/', ''])
      expect([spelling, read(header, claims, spelling) === null]).toEqual([spelling, spelling !== 'AA']);
  });
});
