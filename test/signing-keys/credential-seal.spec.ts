import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { Config } from '@countersign/config';
import { CredentialSeal } from '@countersign/signing-keys';

describe('CredentialSeal', () => {
  const one = `1:${randomBytes(32).toString('base64')}`;
  const two = `2:${randomBytes(32).toString('base64')}`;
  const sealBy = (keys: string) => new CredentialSeal(new Config({ ...process.env, ENCRYPTION_KEYS: keys }));
  const row = () => ({ tenantId: randomUUID(), signingKeyId: randomUUID() });
  const credential = { secretAccessKey: 'wJalrXUtnFEMI/K7MDENG', sessionToken: 'FwoGZXIvYXdzE' };

  it('opens what it sealed, and shows nothing of it meanwhile', () => {
    const place = row();
    const sealed = sealBy(one).seal(credential, place);
    expect(sealBy(one).open(sealed, place)).toEqual(credential);
    expect(sealed.includes(credential.secretAccessKey)).toBe(false);
    expect(sealed.includes('secretAccessKey')).toBe(false);
    expect(sealed.readUInt8(0)).toBe(1);
  });

  it('seals the same secret differently each time', () => {
    const place = row();
    expect(sealBy(one).seal(credential, place)).not.toEqual(sealBy(one).seal(credential, place));
  });

  it('opens in no other row: not another tenant’s, nor another key’s', () => {
    // Attack: copy the ciphertext of somebody else's secret into a row of one's own, and have it sign.
    const place = row();
    const sealed = sealBy(one).seal(credential, place);
    expect(() => sealBy(one).open(sealed, { ...place, tenantId: randomUUID() })).toThrow();
    expect(() => sealBy(one).open(sealed, { ...place, signingKeyId: randomUUID() })).toThrow();
  });

  it('opens a key issuer’s secret in its bucket only, and never as a signing key’s', () => {
    // Attack: the administrative credential, moved into a signing key's row of the same id, signs URLs for everything that it may do.
    const { tenantId, signingKeyId: id } = row();
    const sealed = sealBy(one).seal(credential, { tenantId, keyIssuerOfBucketId: id });
    expect(sealBy(one).open(sealed, { tenantId, keyIssuerOfBucketId: id })).toEqual(credential);
    expect(() => sealBy(one).open(sealed, { tenantId, signingKeyId: id })).toThrow();
    expect(() => sealBy(one).open(sealed, { tenantId, keyIssuerOfBucketId: randomUUID() })).toThrow();
    expect(() => sealBy(one).open(sealed, { tenantId: randomUUID(), keyIssuerOfBucketId: id })).toThrow();
  });

  it('opens nothing of which any bit was changed, or that was cut', () => {
    const place = row();
    const seal = sealBy(`${one},${two}`);
    const sealed = seal.seal(credential, place);
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      expect(() => seal.open(changed, place)).toThrow();
    }
    for (const length of [0, 1, 12, 13, 28, sealed.length - 1])
      expect(() => seal.open(sealed.subarray(0, length), place)).toThrow();
  });

  it('seals by the highest version and opens by whichever sealed, as long as that is configured', () => {
    const place = row();
    const old = sealBy(one).seal(credential, place);
    const both = sealBy(`${one},${two}`);
    expect(both.seal(credential, place).readUInt8(0)).toBe(2);
    expect(sealBy(`${two},${one}`).seal(credential, place).readUInt8(0)).toBe(2);
    expect(both.open(old, place)).toEqual(credential);
    expect(() => sealBy(two).open(old, place)).toThrow(/no version 1/);
    const another = `1:${randomBytes(32).toString('base64')}`;
    expect(() => sealBy(another).open(old, place)).toThrow();
  });

  it('fails without a word of the secret or the key', () => {
    const place = row();
    const sealed = sealBy(one).seal(credential, place);
    for (const seal of [sealBy(two), sealBy(`1:${randomBytes(32).toString('base64')}`)]) {
      const failure = (() => {
        try {
          return seal.open(sealed, place);
        } catch (error) {
          return `${String(error)} ${(error as Error).stack}`;
        }
      })();
      expect(failure).toEqual(expect.any(String));
      for (const secret of [credential.secretAccessKey, credential.sessionToken, one.slice(2), two.slice(2)])
        expect(failure).not.toContain(secret);
    }
  });
});
