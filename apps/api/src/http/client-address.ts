import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';

/** No address is longer, but for one with a zone of the sender's choice. */
const MAX_LENGTH = 64;

/**
 * Where a request comes from: the other end of its connection or, where that is a trusted proxy, the nearest address before it that is none
 * (`X-Forwarded-For`, from its right end). It is an address, always: of what a proxy passed on that is none, nothing is kept.
 */
export function clientAddress({ ip, ips, socket }: FastifyRequest): string {
  // The proxy that brought what is no address is the last that is known.
  return parse(ip) ?? parse(ips?.at(-2)) ?? parse(socket.remoteAddress) ?? UNKNOWN;
}

/** An address as it is; without the port that some proxies add, and an IPv4 one without its disguise (RFC 4291 §2.5.5.2). */
function parse(text = ''): string | null {
  if (text.length > MAX_LENGTH) return null;
  const address = (WITH_PORT.exec(text)?.slice(1).find(Boolean) ?? text).replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(address) === 0 ? null : address;
}

const WITH_PORT = /^(?:\[([^\]]+)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/;

/** Its connection is gone already. */
const UNKNOWN = '0.0.0.0';
