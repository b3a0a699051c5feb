import { describe, expect, it } from '@jest/globals';
import { partsTerms } from '@countersign/signing';
import fc from 'fast-check';
import { type SigningCase, signingCases } from './cases.js';
import { issuanceOf, presignParts, signParts } from './signed.js';

describe('the URLs of parts', () => {
  it('are byte for byte what getSignedUrl gives for the same instant, in the order in which they were asked for', async () => {
    const areTheSame = async (signingCase: SigningCase) =>
      expect(await signParts(signingCase)).toEqual(await presignParts(signingCase));
    await fc.assert(fc.asyncProperty(signingCases, areTheSame), { numRuns: 100 });
  });

  it('each pin one part of one upload, and how many bytes it has', async () => {
    const pin = async (signingCase: SigningCase) => {
      for (const [n, { partNumber, url }] of (await signParts(signingCase)).entries()) {
        const query = new URL(url).searchParams;
        const hasChecksum = signingCase.parts[n]?.checksumSha256 !== null;
        expect(query.get('partNumber')).toBe(String(partNumber));
        expect(query.get('uploadId')).toBe(signingCase.storeUploadId);
        expect(query.get('X-Amz-SignedHeaders')).toBe(
          `content-length;host${hasChecksum ? ';x-amz-checksum-sha256' : ''}`,
        );
      }
    };
    await fc.assert(fc.asyncProperty(signingCases, pin), { numRuns: 100 });
  });

  const [signingCase] = fc.sample(signingCases, { numRuns: 1, seed: 1 }) as [SigningCase];
  const make = (part: { partNumber?: number; contentLength?: number }) => () =>
    partsTerms(issuanceOf(signingCase), {
      uploadId: '2~upload',
      parts: [{ partNumber: 1, contentLength: 1, checksumSha256: null, ...part }],
    });

  it.each([0, -1, 10_001, 1.5, Number.NaN])('are not made for the part number %p', (partNumber) => {
    // Attack: none, but some stores take any number, and then cannot complete the upload.
    expect(make({ partNumber })).toThrow(RangeError);
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 53])('are not made for a part of %p bytes', (contentLength) => {
    // Attack: the holder of a URL that takes no bytes adds x-amz-copy-source and copies another's object into a part.
    expect(make({ contentLength })).toThrow(RangeError);
  });
});
