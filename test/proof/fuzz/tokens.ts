import fc from 'fast-check';
import { type Operation } from '../document.js';
import { platformToken } from '../platform-token.js';
import { nastyText } from './nasty.js';
import type { Targets } from './targets.js';

/** The headers `Authorization`: none, one, or more. */
export type Credential = readonly string[];

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/~ ';

/** Tokens of every kind, the good one most often: the others never come as far. */
export function credentials(operation: Operation, targets: Targets): fc.Arbitrary<Credential> {
  const good = goodToken(operation, targets);
  const others = ['read:objects', 'read:audit', 'admin:tenant'].filter((scope) => scope !== operation.scope).join(' ');
  const taken = (token: string): Credential => [`Bearer ${token}`];
  return fc.oneof(
    { arbitrary: fc.constant(taken(good)), weight: 14 },
    { arbitrary: fc.constant(taken(targets.tenant.token('alice', others))), weight: 1 },
    { arbitrary: fc.constant(taken(targets.neighbour.token('alice', operation.scope ?? ''))), weight: 1 },
    { arbitrary: fc.constant([`Bearer ${good}`, `Bearer ${good}`]), weight: 1 },
    { arbitrary: refused(operation, targets), weight: 3 },
  );
}

/** No token, a part of one, one that is out, or the good one with one character changed, added or taken away. */
export function refused(operation: Operation, targets: Targets): fc.Arbitrary<Credential> {
  const good = goodToken(operation, targets);
  const at = fc.nat(good.length - 1);
  const altered = fc
    .tuple(at, fc.constantFrom(...ALPHABET))
    .filter(([index, character]) => good[index] !== character)
    .map(([index, character]) => `${good.slice(0, index)}${character}${good.slice(index + 1)}`)
    // Space around it is none of the token's (RFC 9110 §5.5).
    .filter((token) => token.trim() === token);
  const texts = fc.oneof(
    { arbitrary: altered.map((token) => `Bearer ${token}`), weight: 4 },
    at.map((index) => `Bearer ${good.slice(0, index)}${good.slice(index + 1)}`),
    at.map((index) => `Bearer ${good.slice(0, index)}`),
    fc.constantFrom(good, `Basic ${good}`, `Bearer  ${good} x`, 'Bearer', '', `Bearer ${good}, Bearer ${good}`),
    fc.constant(`Bearer ${targets.tenant.token('alice', operation.scope ?? '', { exp: 1_000_000_000 })}`),
    nastyText.map((text) => `Bearer ${text.replaceAll(/[^\u0021-\u007e]/g, '')}`),
  );
  return fc.oneof(fc.constant([]), {
    arbitrary: texts.map((authorization) => [authorization]),
    weight: 6,
  });
}

export function goodToken({ scope }: Operation, { tenant }: Targets): string {
  return scope === 'admin:platform' ? platformToken('operator', scope) : tenant.token('alice', scope ?? '');
}
