import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type SigningCase, signingCases } from './cases.js';
import { presignDownload, presignUpload, signDownload, signUpload } from './signed.js';

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

it('a URL parser finds in the URL the very path that was signed', async () => {
  // Attack: a key that `new URL()` rewrites reaches another object than the one that was checked.
  const keepsItsPath = async (signingCase: SigningCase) => {
    const url = await signDownload(signingCase);
    expect(new URL(url).href).toBe(url);
  };
  await fc.assert(fc.asyncProperty(signingCases, keepsItsPath), { numRuns: 400 });
});
