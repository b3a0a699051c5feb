import { describe, expect, it } from '@jest/globals';
import type { UrlTerms } from '@countersign/ledger';
import { type Credential, downloadTerms } from '@countersign/signing';
import fc from 'fast-check';
import { agree, type Presign } from '../../libs/signing/src/agree.js';
import { DerivedKeys } from '../../libs/signing/src/derived-keys.js';
import { sdkPresign } from '../../libs/signing/src/sdk-presign.js';
import { SigV4Presigner } from '../../libs/signing/src/sigv4.js';
import { type SigningCase, signingCases } from './cases.js';
import { issuanceOf, presignDownload, presignUpload, signDownload, signUpload } from './signed.js';

describe('the URL is byte for byte what getSignedUrl gives for the same instant', () => {
  it('for any download', async () => {
    const isTheSame = async (signingCase: SigningCase) =>
      expect(await signDownload(signingCase)).toBe(await presignDownload(signingCase));
    await fc.assert(fc.asyncProperty(signingCases, isTheSame), { numRuns: 400 });
  });

  it('for any upload', async () => {
    const isTheSame = async (signingCase: SigningCase) =>
      expect(await signUpload(signingCase)).toBe(await presignUpload(signingCase));
    await fc.assert(fc.asyncProperty(signingCases, isTheSame), { numRuns: 400 });
  });
});

it('what was signed before leaves no trace in a URL, however little the next one differs', async () => {
  // Attack: what is remembered of one tenant's credential, or of its session, goes into another's URL.
  const ours = new SigV4Presigner(new DerivedKeys());
  const [{ credential, ...signingCase }] = fc.sample(signingCases, { numRuns: 1, seed: 1 }) as [SigningCase];
  const { sessionToken: _, ...lasting } = credential;
  const issuance = issuanceOf({ credential, ...signingCase, expiresInSeconds: 900 });
  const terms = downloadTerms(issuance, signingCase.download);
  const variants: [UrlTerms, Credential][] = [
    [terms, lasting],
    [terms, { ...lasting, sessionToken: 'one' }],
    [terms, { ...lasting, sessionToken: 'another' }],
    [terms, { ...lasting, accessKeyId: 'ANOTHER' }],
    [terms, { ...lasting, secretAccessKey: 'another' }],
    [{ ...terms, region: 'another' }, lasting],
    [{ ...terms, issuedAt: terms.issuedAt + 1 }, lasting],
    [{ ...terms, issuedAt: terms.issuedAt + 86_400 }, lasting],
    [{ ...terms, expiresInSeconds: terms.expiresInSeconds + 1 }, lasting],
  ];
  for (const one of variants)
    for (const other of variants) {
      ours.presign(...one);
      expect(ours.presign(...other)).toBe(await sdkPresign(...other));
    }
});

it('a URL parser finds in the URL the very path that was signed', async () => {
  // Attack: a key that `new URL()` rewrites reaches another object than the one that was checked.
  const keepsItsPath = async (signingCase: SigningCase) => {
    const url = await signDownload(signingCase);
    expect(new URL(url).href).toBe(url);
  };
  await fc.assert(fc.asyncProperty(signingCases, keepsItsPath), { numRuns: 400 });
});

describe('what a start of the service checks', () => {
  const ours = new SigV4Presigner(new DerivedKeys());
  const presign: Presign = (terms, credential) => ours.presign(terms, credential);

  it('is content where the installed SDK signs as we do', async () => {
    expect(await agree(presign, sdkPresign)).toBe(true);
  });

  it.each<[string, (terms: Parameters<Presign>[0]) => Parameters<Presign>[0]]>([
    [
      'a header of uploads',
      (terms) => ({ ...terms, headers: { ...terms.headers, ...(terms.method === 'PUT' && { a: 'b' }) } }),
    ],
    ['a parameter of downloads', ({ query: { versionId: _, ...query }, ...terms }) => ({ ...terms, query })],
    [
      'the number of a part',
      ({ query, ...terms }) => ({ ...terms, query: { ...query, ...(query['partNumber'] && { partNumber: '2' }) } }),
    ],
    ['the name of the operation', (terms) => ({ ...terms, query: { ...terms.query, 'x-id': 'Other' } })],
  ])('sees a difference in %s', async (_, change) => {
    const changed: Presign = (terms, credential) => presign(change(terms), credential);
    expect(await agree(changed, sdkPresign)).toBe(false);
  });
});
