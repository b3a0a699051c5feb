import type { IncomingHttpHeaders } from 'node:http';
import { S3Error } from '../s3-error.js';
import type { RequestTarget } from '../request-target.js';

/** What a request says about its signature, parsed and not yet believed. */
export interface ClaimedSignature {
  /** `query`: a presigned URL; `header`: an Authorization header. */
  carrier: 'query' | 'header';
  accessKeyId: string;
  /** From the credential scope: yyyymmdd, region. */
  day: string;
  region: string;
  /** yyyymmddThhmmssZ */
  timestamp: string;
  /** Of a presigned URL only. */
  expiresInSeconds: number | undefined;
  signedHeaders: string[];
  signature: string;
  /** The hex SHA-256 of the body, or UNSIGNED-PAYLOAD. */
  payloadHash: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

/** Reads the signature from where it is; a request without one, or with more than one, is refused. */
export function readClaimedSignature({ query }: RequestTarget, headers: IncomingHttpHeaders): ClaimedSignature {
  const isPresigned = query.has('X-Amz-Algorithm') || query.has('X-Amz-Signature');
  const authorization = headers.authorization;
  if (isPresigned && authorization !== undefined) {
    throw new S3Error('InvalidArgument', 'Only one auth mechanism allowed.');
  }
  if (query.has('Signature') || authorization?.startsWith('AWS ')) {
    throw new S3Error('InvalidRequest', `The authorization mechanism is not supported. Please use ${ALGORITHM}.`);
  }
  if (isPresigned) return fromQuery(query, headers);
  if (authorization !== undefined) return fromHeader(authorization, headers);
  throw new S3Error('AccessDenied', 'Access Denied.');
}

/** SigV4, "Authenticating requests: using query parameters". */
function fromQuery(query: ReadonlyMap<string, string>, headers: IncomingHttpHeaders): ClaimedSignature {
  if (query.get('X-Amz-Algorithm') !== ALGORITHM) throw new S3Error('AccessDenied', `Only ${ALGORITHM} is supported.`);
  const expires = required(query, 'X-Amz-Expires');
  if (!/^[1-9][0-9]{0,5}$/.test(expires) || Number(expires) > 604_800) {
    throw new S3Error('AccessDenied', 'X-Amz-Expires must be between 1 and 604800 seconds.');
  }
  return {
    carrier: 'query',
    ...parseCredential(required(query, 'X-Amz-Credential'), 'AuthorizationQueryParametersError'),
    timestamp: required(query, 'X-Amz-Date'),
    expiresInSeconds: Number(expires),
    signedHeaders: parseSignedHeaders(required(query, 'X-Amz-SignedHeaders')),
    signature: required(query, 'X-Amz-Signature'),
    payloadHash: checkPayloadHash(
      query.get('X-Amz-Content-Sha256') ?? single(headers['x-amz-content-sha256']) ?? UNSIGNED_PAYLOAD,
    ),
  };
}

/** SigV4, "Authenticating requests: using the Authorization header". */
function fromHeader(authorization: string, headers: IncomingHttpHeaders): ClaimedSignature {
  const match = /^AWS4-HMAC-SHA256 +Credential=([^, ]+), *SignedHeaders=([^, ]+), *Signature=([^, ]+)$/.exec(
    authorization,
  );
  if (!match) throw new S3Error('AuthorizationHeaderMalformed', 'The authorization header is malformed.');
  const timestamp = single(headers['x-amz-date']);
  if (!timestamp) throw new S3Error('AccessDenied', 'AWS authentication requires a valid x-amz-date header.');
  const payloadHash = single(headers['x-amz-content-sha256']);
  if (!payloadHash) throw new S3Error('InvalidRequest', 'Missing required header: x-amz-content-sha256.');
  return {
    carrier: 'header',
    ...parseCredential(match[1]!, 'AuthorizationHeaderMalformed'),
    timestamp,
    expiresInSeconds: undefined,
    signedHeaders: parseSignedHeaders(match[2]!),
    signature: match[3]!,
    payloadHash: checkPayloadHash(payloadHash),
  };
}

function parseCredential(
  credential: string,
  code: 'AuthorizationHeaderMalformed' | 'AuthorizationQueryParametersError',
): { accessKeyId: string; day: string; region: string } {
  const [accessKeyId, day, region, service, termination, ...more] = credential.split('/');
  if (!accessKeyId || !day || !region || service !== 's3' || termination !== 'aws4_request' || more.length > 0) {
    throw new S3Error(code, 'The credential must be <access key>/yyyymmdd/<region>/s3/aws4_request.');
  }
  return { accessKeyId, day, region };
}

/** Attack: a signature without the host is good at every other store that knows the same key. */
function parseSignedHeaders(list: string): string[] {
  const names = list.split(';');
  const areNames = names.every((name) => /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name));
  if (!areNames || new Set(names).size !== names.length || !names.includes('host')) {
    throw new S3Error('AccessDenied', 'SignedHeaders must be lower-case header names, host among them.');
  }
  return names;
}

function checkPayloadHash(hash: string): string {
  if (hash === UNSIGNED_PAYLOAD || /^[0-9a-f]{64}$/.test(hash)) return hash;
  if (hash.startsWith('STREAMING-')) {
    throw new S3Error('NotImplemented', 'This store does not take bodies in signed chunks (aws-chunked).');
  }
  throw new S3Error('InvalidArgument', 'x-amz-content-sha256 must be UNSIGNED-PAYLOAD or a SHA-256 in hex.');
}

function required(query: ReadonlyMap<string, string>, name: string): string {
  const value = query.get(name);
  if (!value) throw new S3Error('AccessDenied', `The query parameter ${name} is missing.`);
  return value;
}

export function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header;
}
