import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { RequestTarget } from '../request-target.js';
import { S3Error } from '../s3-error.js';
import { calculateSignature, canonicalRequest, stringToSign } from './canonical-request.js';
import { readClaimedSignature, type ClaimedSignature } from './claimed-signature.js';

/** Gives the secret of an access key that is alive. */
export type SecretOf = (accessKeyId: string) => string | undefined;

/**
 * Gives back the signature of a request that the holder of a live access key signed, exactly as it stands, for
 * this time and this region. Everything else is refused with the code that S3 uses.
 */
export function verifySignature(
  request: { method: string; target: RequestTarget; headers: IncomingHttpHeaders },
  { region, secretOf, now }: { region: string; secretOf: SecretOf; now: number },
): ClaimedSignature {
  const claimed = readClaimedSignature(request.target, request.headers);
  checkScope(claimed, region);
  checkTime(claimed, now);
  checkUnsignedHeaders(claimed, request.headers);

  const secret = secretOf(claimed.accessKeyId);
  if (secret === undefined) {
    throw new S3Error('InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.', {
      AWSAccessKeyId: claimed.accessKeyId,
    });
  }
  // A session token belongs to temporary credentials, and this store issues none.
  if ('x-amz-security-token' in request.headers || request.target.query.has('X-Amz-Security-Token')) {
    throw new S3Error('InvalidToken', 'The provided token is malformed or otherwise invalid.');
  }
  const canonical = canonicalRequest(request.method, request.target, request.headers, claimed);
  const text = stringToSign(canonical, claimed);
  if (!isEqual(calculateSignature(secret, text, claimed), claimed.signature)) {
    throw new S3Error(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided.',
      { AWSAccessKeyId: claimed.accessKeyId, StringToSign: text, CanonicalRequest: canonical },
    );
  }
  return claimed;
}

function checkScope({ carrier, day, region, timestamp }: ClaimedSignature, expected: string): void {
  const code = carrier === 'query' ? 'AuthorizationQueryParametersError' : 'AuthorizationHeaderMalformed';
  if (region !== expected) throw new S3Error(code, `The region '${region}' is wrong; expecting '${expected}'.`);
  if (!timestamp.startsWith(day)) throw new S3Error(code, 'The credential is for another day than X-Amz-Date.');
}

const MAX_SKEW_MS = 15 * 60_000;

function checkTime({ timestamp, expiresInSeconds }: ClaimedSignature, now: number): void {
  const signedAt = parseTimestamp(timestamp);
  if (expiresInSeconds === undefined) {
    if (Math.abs(now - signedAt) <= MAX_SKEW_MS) return;
    throw new S3Error('RequestTimeTooSkewed', 'The request time and the current time differ too much.', {
      RequestTime: timestamp,
      ServerTime: new Date(now).toISOString(),
    });
  }
  if (signedAt > now + MAX_SKEW_MS) throw new S3Error('AccessDenied', 'Request is not valid yet');
  const expiresAt = signedAt + expiresInSeconds * 1000;
  if (now < expiresAt) return;
  throw new S3Error('AccessDenied', 'Request has expired', {
    'X-Amz-Expires': String(expiresInSeconds),
    Expires: new Date(expiresAt).toISOString(),
    ServerTime: new Date(now).toISOString(),
  });
}

/** Checked by writing it back, as Date.parse rolls some days that do not exist over into the next month. */
function parseTimestamp(timestamp: string): number {
  const time = Date.parse(timestamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  const isExact = !Number.isNaN(time) && new Date(time).toISOString().replace(/[-:]|\.000/g, '') === timestamp;
  if (!isExact) throw new S3Error('AccessDenied', 'X-Amz-Date must be yyyymmddThhmmssZ.');
  return time;
}

/**
 * Attack: the holder of a URL that writes one object adds `x-amz-copy-source` and has the store copy whatever the
 * signer may read, or adds `x-amz-acl: public-read`. S3 refuses what it would obey and the signer did not sign.
 */
function checkUnsignedHeaders({ signedHeaders }: ClaimedSignature, headers: IncomingHttpHeaders): void {
  const unsigned = Object.keys(headers).filter((name) => name.startsWith('x-amz-') && !signedHeaders.includes(name));
  if (unsigned.length === 0) return;
  throw new S3Error('AccessDenied', 'There were headers present in the request which were not signed', {
    HeadersNotSigned: unsigned.join(', '),
  });
}

function isEqual(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
