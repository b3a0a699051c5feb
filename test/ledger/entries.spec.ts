import { expect, it } from '@jest/globals';
import type { IssuanceDecision, UrlTerms } from '@countersign/ledger';
import fc from 'fast-check';
import { type Entry, toEntries } from '../../libs/ledger/src/entries.js';

const oneOf = <T>(...values: T[]) => fc.constantFrom(...values);

const terms: fc.Arbitrary<UrlTerms> = fc.record({
  kind: fc.constant('url' as const),
  url: oneOf('https://store.test/a', 'https://store.test/b'),
  region: fc.constant('eu'),
  issuedAt: oneOf(1_800_000_000, 1_800_000_001),
  expiresInSeconds: oneOf(60, 900),
  signingKeyId: oneOf('key-1', 'key-2'),
  method: fc.constant('GET' as const),
  headers: fc.constant({}),
  query: fc.constant({}),
});

const common = fc.record({
  tenantId: oneOf('t', 'u'),
  subject: oneOf('alice', 'bob'),
  clientAddress: oneOf(null, '127.0.0.1'),
  userAgent: oneOf(null, 'agent'),
  requestId: oneOf('r', 's'),
  issuanceId: fc.uuid(),
  action: oneOf('download-url' as const, 'upload-url' as const),
  bucket: oneOf('files', 'other'),
  key: oneOf('a', 'b'),
  useCase: oneOf('download', 'share'),
  contentType: oneOf(null, 'image/png'),
  contentLength: oneOf(null, 5),
  details: oneOf(null, { method: 'GET' }),
});

const made = fc.oneof(
  fc.record({ decision: fc.constant('granted' as const), terms }),
  fc.record({ decision: fc.constant('refused' as const), reason: oneOf('not-granted', 'too-large') }),
);

const decision: fc.Arbitrary<IssuanceDecision> = fc.tuple(common, made).map(([who, what]) => ({ ...who, ...what }));

/** Most neighbours differ in one field alone. */
const decisions = fc
  .tuple(decision, fc.array(fc.tuple(decision, fc.nat()), { maxLength: 8 }))
  .map(([first, others]) => [
    first,
    ...others.map(([other, n]): IssuanceDecision => {
      const names = Object.keys(first) as (keyof typeof first)[];
      const name = names[n % names.length]!;
      const isOutcome = ['decision', 'terms', 'reason'].includes(name);
      return isOutcome ? { ...other, ...pick(first), ...outcomeOf(other) } : { ...first, [name]: other[name] };
    }),
  ]);

const pick = ({ decision: _, ...rest }: IssuanceDecision) => {
  const { terms: __, reason: ___, ...who } = rest as Record<string, unknown>;
  return who;
};
const outcomeOf = (one: IssuanceDecision) =>
  one.decision === 'granted'
    ? { decision: one.decision, terms: one.terms }
    : { decision: one.decision, reason: one.reason };

/** As the database reads them: what a row does not say, its entry does. */
const toRows = (entries: readonly Entry[]) =>
  entries.flatMap((entry) => {
    if (!('rows' in entry)) return [entry];
    const { rows, ...shared } = entry;
    return rows.map((row) => ({ ...shared, ...row }));
  });

it('What neighbours share is said once, and every row still says what it says alone', () => {
  // Attack: an item that is refused, or of another bucket, or of another caller's, is on record as its neighbour is.
  fc.assert(
    fc.property(decisions, (all) => {
      const alone = all.flatMap((one, n) => toRows(toEntries([one])).map((row) => ({ ...row, n })));
      expect(toRows(toEntries(all))).toEqual(alone);
    }),
    { numRuns: 2_000 },
  );
});

it('A batch of one caller, bucket and policy is one entry', () => {
  const [first] = fc.sample(decision, { numRuns: 1, seed: 1 });
  const all = Array.from({ length: 100 }, (_, n) => ({ ...first!, key: `key-${n}`, contentType: `image/${n}` }));
  const [entry, ...others] = toEntries(all);
  expect(others).toEqual([]);
  expect(entry).toMatchObject({ rows: all.map(({ key }, n) => ({ n, key })) });
});
