import { expect, it } from '@jest/globals';
import type { IssuanceDecision, UrlTerms } from '@countersign/ledger';
import fc from 'fast-check';
import { type Entry, toEntries } from '../../libs/ledger/src/entries.js';
import { urlIds } from '../../libs/ledger/src/url-ids.js';

const oneOf = <T>(...values: T[]) => fc.constantFrom(...values);

const terms: fc.Arbitrary<UrlTerms> = fc.record({
  kind: fc.constant('url' as const),
  url: oneOf('https://store.test/a', 'https://store.test/b', 'https://other.test/a', 'https://store.test/%61'),
  region: fc.constant('eu'),
  issuedAt: oneOf(1_800_000_000, 1_800_000_001),
  expiresInSeconds: oneOf(60, 900),
  signingKeyId: oneOf('key-1', 'key-2'),
  method: fc.constant('GET' as const),
  headers: fc.constant({}),
  query: fc.constant({}),
  headQuery: oneOf(undefined, {}),
});

const common = fc.record({
  tenantId: oneOf('t', 'u'),
  subject: oneOf('alice', 'bob'),
  clientAddress: oneOf(null, '127.0.0.1', '::1'),
  userAgent: oneOf(null, '', 'agent', 'another'),
  requestId: oneOf('r', 's'),
  issuanceId: fc.uuid(),
  action: oneOf('download-url' as const, 'upload-url' as const),
  bucket: oneOf('files', 'other'),
  key: oneOf('a', 'b'),
  useCase: oneOf('download', 'share'),
  contentType: oneOf(null, 'image/png', 'text/plain'),
  contentLength: oneOf(null, 0, 5),
  rotationId: oneOf(undefined, 'o', 'p'),
  details: oneOf(null, { method: 'GET' }, { method: 'GET', limits: { min: 1 } }, { method: 'GET', limits: { min: 1 } }),
  isStable: fc.boolean(),
});

const upload = fc.record({
  bucketId: oneOf('1', '2'),
  mode: fc.constant('put' as const),
  minContentLength: fc.constant(undefined),
  maxContentLength: fc.constant(undefined),
  checksumSha256: oneOf(undefined, 'abc'),
  overwrite: fc.boolean(),
  disposition: fc.constant(undefined),
  partSize: fc.constant(undefined),
  partCount: fc.constant(undefined),
  withheld: fc.boolean(),
});

const made = fc.oneof(
  fc.record({ decision: fc.constant('granted' as const), terms, upload: fc.oneof(fc.constant(undefined), upload) }),
  fc.record({ decision: fc.constant('refused' as const), reason: oneOf('not-granted', 'too-large') }),
);

const decision: fc.Arbitrary<IssuanceDecision> = fc.tuple(common, made).map(([who, what]) => ({ ...who, ...what }));

/** Most differ in one field alone. */
const decisions = fc
  .tuple(decision, fc.array(fc.tuple(decision, fc.nat()), { maxLength: 12 }))
  .map(([first, others]) => [
    first,
    ...others.map(([other, n]): IssuanceDecision => {
      const names = Object.keys(first) as (keyof typeof first)[];
      const name = names[n % names.length]!;
      const isOutcome = ['decision', 'terms', 'reason', 'upload'].includes(name);
      return isOutcome ? { ...other, ...pick(first), ...outcomeOf(other) } : { ...first, [name]: other[name] };
    }),
  ]);

const pick = ({ decision: _, ...rest }: IssuanceDecision) => {
  const { terms: __, reason: ___, upload: ____, ...who } = rest as Record<string, unknown>;
  return who;
};
const outcomeOf = (one: IssuanceDecision) =>
  one.decision === 'granted'
    ? { decision: one.decision, terms: one.terms, upload: one.upload }
    : { decision: one.decision, reason: one.reason };

/** As the database reads them: what a row does not say, its entry does. What is undefined is not sent. */
const toRows = (entries: readonly Entry[]) =>
  (JSON.parse(JSON.stringify(entries)) as Record<string, unknown>[])
    .flatMap(({ rows = [{}], ...shared }) => (rows as object[]).map((row) => read({ ...shared, ...row })))
    .sort((one, other) => one.n - other.n);

const read = ({ urlBefore, ...row }: Record<string, unknown>) => {
  const text = [urlBefore, row['key']].join('');
  return { ...row, url: row['url'] ?? (urlBefore === undefined ? undefined : text), n: row['n'] as number };
};

/** What must be written of a decision. */
function rowOf(one: IssuanceDecision, n: number) {
  const terms = one.decision === 'granted' ? (one.terms as UrlTerms) : undefined;
  const row = {
    n,
    id: one.issuanceId,
    tenantId: one.tenantId,
    subject: one.subject,
    action: one.action,
    decision: one.decision,
    reason: one.decision === 'refused' ? one.reason : null,
    bucket: one.bucket,
    key: one.key,
    useCase: one.useCase,
    signingKeyId: terms?.signingKeyId,
    expiresAt: terms && new Date((terms.issuedAt + terms.expiresInSeconds) * 1000),
    contentType: one.contentType,
    contentLength: one.contentLength,
    url: terms?.url,
    clientAddress: one.clientAddress,
    userAgent: one.userAgent,
    requestId: one.requestId,
    details: one.details,
    rotationId: one.rotationId,
    urlCount: terms?.headQuery && 2,
    stableUrls: one.isStable && terms ? urlIds(terms) : null,
    upload: one.decision === 'granted' ? one.upload : null,
  };
  const said = Object.entries(JSON.parse(JSON.stringify(row)) as object).filter(([, value]) => value !== null);
  return Object.fromEntries(said) as Record<string, unknown>;
}

it('What many share is said once, and of every row is written what was decided', () => {
  // Attack: an item that is refused, or of another bucket, or of another caller's, is on record as its neighbour is.
  fc.assert(
    fc.property(decisions, (all) => {
      expect(toRows(toEntries(all))).toEqual(all.map(rowOf));
    }),
    { numRuns: 5_000 },
  );
});

it('A thousand items of one request that all differ take no longer than as many entries do', () => {
  const terms = (n: number) => ({ ...granted.terms, expiresInSeconds: 60 + n });
  const all = Array.from({ length: 1_000 }, (_, n) => ({ ...granted, terms: terms(n) }));
  let reads = 0;
  const watched = all.map((one) => new Proxy(one, { get: (target, name) => (reads++, Reflect.get(target, name)) }));
  expect(toEntries(watched)).toHaveLength(1_000);
  expect(reads).toBeLessThan(1_000 * 100);
});

const granted = {
  ...fc.sample(common, { numRuns: 1, seed: 1 })[0]!,
  decision: 'granted' as const,
  details: { method: 'GET' },
  isStable: false,
  terms: fc.sample(terms, { numRuns: 1, seed: 1 })[0]!,
};

it('A batch of one caller, bucket and policy is one entry, whose rows say their keys and what is pinned', () => {
  const all = Array.from({ length: 100 }, (_, n) => withKey(`key-${n}`, { contentType: `image/${n}` }));
  const [entry, ...others] = toEntries(all);
  expect(others).toEqual([]);
  const rows = all.map(({ key, contentType, issuanceId: id }, n) => ({ n, id, key, ...(n > 0 && { contentType }) }));
  expect(entry).toMatchObject({ urlBefore: 'https://store.test/', contentType: 'image/0' });
  expect(entry).toHaveProperty('rows', rows);
});

it('Lone requests of many, about one bucket under one policy, are one entry, whose rows say their callers too', () => {
  const all = Array.from({ length: 30 }, (_, n) => withKey(`key-${n}`, { requestId: `r${n}`, subject: `s${n}` }));
  const [entry, ...others] = toEntries(all);
  expect(others).toEqual([]);
  const rows = all.map(({ key, requestId, subject, issuanceId: id }, n) => ({
    n,
    id,
    key,
    ...(n > 0 && { subject, requestId }),
  }));
  expect(entry).toHaveProperty('rows', rows);
});

function withKey(key: string, more: Partial<typeof granted>): IssuanceDecision<UrlTerms> {
  const url = `https://store.test/${key}`;
  return { ...granted, ...more, key, terms: { ...granted.terms, url } };
}
