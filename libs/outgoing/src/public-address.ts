import dns from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Why an endpoint must not be used in production, or null: what is not encrypted, and what is inside the network that we run in. */
export function insecurityOf(endpoint: string | URL): string | null {
  const { protocol, hostname } = new URL(endpoint);
  if (protocol !== 'https:') return 'must be https:';
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (ipaddr.isValid(host)) return isPublic(host) ? null : 'must not be a private address';
  const isLocal = !host.includes('.') || /(?:^|\.)(?:localhost|local|internal|home\.arpa)$/.test(host);
  return isLocal ? 'must not be a private name' : null;
}

/**
 * Finds a name's addresses, and fails where one of them is private: the very addresses that are connected to, so that a name which leads
 * elsewhere at the next question (DNS rebinding) gains nothing by it.
 */
export const lookupPublic: LookupFunction = (hostname, options, callback) => {
  dns.lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, []);
    if (!addresses.every(({ address }) => isPublic(address)))
      return callback(new Error('its name leads to a private address'), []);
    const [first] = addresses;
    return options.all ? callback(null, addresses) : callback(null, first?.address ?? '', first?.family);
  });
};

/** No address of a private network, of this machine, of a link or of anything else that is not the internet (RFC 6890). */
const isPublic = (address: string): boolean => ipaddr.process(address).range() === 'unicast';
