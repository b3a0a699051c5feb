import type { Config } from '@countersign/config';
import { ProblemError } from '@countersign/errors';
import ipaddr from 'ipaddr.js';

/** What is wrong with an endpoint, or null: `http:` or `https:`, a host, perhaps a port and a path, and nothing else. */
export function endpointFault(endpoint: string): string | null {
  if (endpoint.length > 255 || !URL.canParse(endpoint)) return 'must be a URL such as "https://s3.example.com"';
  const { protocol, username, password, search, hash, href } = new URL(endpoint);
  if (protocol !== 'https:' && protocol !== 'http:') return 'must be an http: or https: URL';
  if (username !== '' || password !== '') return 'must not hold a user name or password';
  if (search !== '' || hash !== '' || /[?#]/.test(endpoint)) return 'must not have a query or fragment';
  return href === endpoint || href === `${endpoint}/` ? null : `must be written as "${href.replace(/\/$/, '')}"`;
}

export type EndpointRules = Pick<Config, 'allowInsecureEndpoints'>;

/** @throws ProblemError `endpoint-not-allowed` for fields whose endpoint is insecure or private, where the installation takes no such one. */
export function assertEndpointsAllowed(
  endpoints: Readonly<Record<string, string | null | undefined>>,
  { allowInsecureEndpoints }: EndpointRules,
): void {
  if (allowInsecureEndpoints) return;
  const errors = Object.entries(endpoints).flatMap(([field, endpoint]) => {
    const message = typeof endpoint === 'string' ? insecurityOf(endpoint) : null;
    return message === null ? [] : [{ pointer: `/${field}`, message, code: 'endpoint-not-allowed' as const }];
  });
  if (errors.length === 0) return;
  throw new ProblemError('endpoint-not-allowed', 'This installation takes public https: endpoints only.', { errors });
}

/** Why an endpoint must not be used in production, or null: what is not encrypted, and what is inside the network that we run in. */
function insecurityOf(endpoint: string): string | null {
  const { protocol, hostname } = new URL(endpoint);
  if (protocol !== 'https:') return 'must be https:';
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (ipaddr.isValid(host)) return ipaddr.process(host).range() === 'unicast' ? null : 'must not be a private address';
  const isLocal = !host.includes('.') || /(?:^|\.)(?:localhost|local|internal|home\.arpa)$/.test(host);
  return isLocal ? 'must not be a private name' : null;
}

/** AWS's own hosts, whose buckets have ACLs switched off and refuse what tries to set one. */
export function isAws(endpoint: string | undefined): boolean {
  return endpoint === undefined || /(?:^|\.)amazonaws\.com(?:\.cn)?$/.test(new URL(endpoint).hostname);
}
