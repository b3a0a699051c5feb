import { describe, expect, it } from '@jest/globals';
import { formTerms } from '@countersign/signing';
import fc from 'fast-check';
import { DerivedKeys } from '../../libs/signing/src/derived-keys.js';
import { type SigningCase, signingCases } from './cases.js';
import { issuanceOf, presignForm, signForm } from './signed.js';

const isForm = ({ key }: SigningCase) => !key.includes('${');

describe('an upload form', () => {
  it('is byte for byte what createPresignedPost gives for the same instant, and so is its address', async () => {
    const isTheSame = async (signingCase: SigningCase) =>
      expect(signForm(signingCase)).toEqual(await presignForm(signingCase));
    await fc.assert(fc.asyncProperty(signingCases.filter(isForm), isTheSame), { numRuns: 300 });
  });

  it('has a policy that names every field with its one value, and the sizes', () => {
    // Attack: what the policy does not name, or names by how it begins, the holder may choose.
    const isPinned = (signingCase: SigningCase) => {
      const { Policy, 'X-Amz-Signature': _, ...fields } = signForm(signingCase).fields;
      const { expiration, conditions } = JSON.parse(Buffer.from(Policy ?? '', 'base64').toString()) as {
        expiration: string;
        conditions: unknown[];
      };
      const { issuedAt, expiresInSeconds, contentLengthRange } = signingCase;
      expect(Date.parse(expiration)).toBe((issuedAt + expiresInSeconds) * 1000);
      const [range, ...others] = conditions;
      expect(range).toEqual(['content-length-range', contentLengthRange.min, contentLengthRange.max]);
      expect(others).toEqual(Object.entries(fields).map(([name, value]) => ({ [name]: value })));
      expect(fields).toMatchObject({ key: signingCase.key, bucket: signingCase.location.bucket });
    };
    fc.assert(fc.property(signingCases.filter(isForm), isPinned), { numRuns: 100 });
  });

  it.each(['${filename}', 'users/alice/${filename}', 'a${b', '${FILENAME}/a'])('is not made for the key %s', (key) => {
    // Attack: the store puts the name of the file that is sent in the place of the variable, and the holder writes any key.
    const [signingCase] = fc.sample(signingCases, { numRuns: 1, seed: 1 }) as [SigningCase];
    const form = { ...signingCase.upload, bucket: 'photos', key, contentLengthRange: { min: 0, max: 1 } };
    expect(() => formTerms(issuanceOf(signingCase), form)).toThrow(RangeError);
  });

  it.each([
    { min: 2, max: 1 },
    { min: -1, max: 1 },
    { min: 0, max: Number.NaN },
    { min: 0, max: 1.5 },
    { min: 0, max: Number.POSITIVE_INFINITY },
  ])('is not made for the range $min to $max', (contentLengthRange) => {
    const [signingCase] = fc.sample(signingCases, { numRuns: 1, seed: 1 }) as [SigningCase];
    const form = { ...signingCase.upload, bucket: 'photos', key: 'a', contentLengthRange };
    expect(() => formTerms(issuanceOf(signingCase), form)).toThrow(RangeError);
  });
});

it("a policy's signature is the one that Amazon published", () => {
  // Amazon S3 API Reference, "Example: Browser-Based Upload using HTTP POST (Using AWS Signature Version 4)".
  const policy = [
    '{ "expiration": "2015-12-30T12:00:00.000Z",',
    '  "conditions": [',
    '    {"bucket": "sigv4examplebucket"},',
    '    ["starts-with", "$key", "user/user1/"],',
    '    {"acl": "public-read"},',
    '    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},',
    '    ["starts-with", "$Content-Type", "image/"],',
    '    {"x-amz-meta-uuid": "14365123651274"},',
    '    {"x-amz-server-side-encryption": "AES256"},',
    '    ["starts-with", "$x-amz-meta-tag", ""],',
    '',
    '    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},',
    '    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},',
    '    {"x-amz-date": "20151229T000000Z" }',
    '  ]',
    '}',
  ].join('\r\n');
  const credential = {
    signingKeyId: '6f1c1ab2-1a7c-4c5e-9d4c-3b7a2f0e9d11',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  };
  const signed = Buffer.from(policy).toString('base64');
  expect(new DerivedKeys().sign(credential, '20151229/us-east-1/s3/aws4_request', signed)).toBe(
    '8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e',
  );
});
