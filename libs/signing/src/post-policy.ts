import type { FormTerms } from '@countersign/ledger';
import { ALGORITHM, type Credential, type DerivedKeys, scopeOf, toAmzDate } from './derived-keys.js';

/**
 * All that a signed upload form sends before `file` (Amazon S3 API Reference, "Browser-Based Uploads Using POST"): what `createPresignedPost`
 * of `@aws-sdk/s3-presigned-post` gives, byte for byte. Each field is in the policy with its value, and a store refuses a form that
 * has another one, or one more.
 */
export function signedForm(terms: FormTerms, credential: Credential, derivedKeys: DerivedKeys): Record<string, string> {
  const { accessKeyId, sessionToken } = credential;
  const { key, ...pinned } = terms.fields;
  const time = toAmzDate(terms.issuedAt);
  const scope = scopeOf(time, terms.region);
  const fields = {
    ...pinned,
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': `${accessKeyId}/${scope}`,
    'X-Amz-Date': time,
    ...(sessionToken === undefined ? {} : { 'X-Amz-Security-Token': sessionToken }),
    key,
  };
  const policy = Buffer.from(JSON.stringify(policyOf(terms, fields))).toString('base64');
  return { ...fields, Policy: policy, 'X-Amz-Signature': derivedKeys.sign(credential, scope, policy) };
}

function policyOf({ contentLengthRange, issuedAt, expiresInSeconds }: FormTerms, fields: Record<string, string>) {
  const expiration = new Date((issuedAt + expiresInSeconds) * 1000).toISOString().replace('.000Z', 'Z');
  const { min, max } = contentLengthRange;
  const equal = Object.entries(fields).map(([name, value]) => ({ [name]: value }));
  return { expiration, conditions: [['content-length-range', min, max], ...equal] };
}
