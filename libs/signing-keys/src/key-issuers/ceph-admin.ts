import type { Outgoing } from '@countersign/outgoing';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { type Answer, issuerFetch } from './issuer-fetch.js';

/** Where Ceph's Admin Ops API is, and who may use it. */
export interface CephAdmin {
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
}

/**
 * One call of Ceph's Admin Ops API about users, signed (https://docs.ceph.com/en/latest/radosgw/adminops/). A parameter without a value, such
 * as `key`, is an empty one.
 * @throws KeyIssuerError `unknown` where there is no answer.
 */
export async function callCephAdmin(
  outgoing: Outgoing,
  { endpoint, ...credentials }: CephAdmin,
  method: 'GET' | 'PUT' | 'DELETE',
  parameters: Record<string, string>,
  signal: AbortSignal,
): Promise<Answer> {
  const url = new URL('/admin/user', endpoint);
  const query = { ...parameters, format: 'json' };
  url.search = new URLSearchParams(query).toString().replaceAll('+', '%20');
  // Ceph looks at no region.
  const signer = new SignatureV4({
    service: 's3',
    region: 'us-east-1',
    uriEscapePath: false,
    credentials,
    sha256: Sha256,
  });
  const { headers } = await signer.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query,
    headers: { host: url.host },
  });
  return issuerFetch(outgoing, url, { method, headers }, signal);
}
