import type { Config } from '@countersign/config';
import { ProblemError } from '@countersign/errors';
import { insecurityOf } from '@countersign/outgoing';

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

/** AWS's own hosts, whose buckets have ACLs switched off and refuse what tries to set one. */
export function isAws(endpoint: string | undefined): boolean {
  return endpoint === undefined || /(?:^|\.)amazonaws\.com(?:\.cn)?$/.test(new URL(endpoint).hostname);
}
