import { describe, expect, it } from '@jest/globals';
import { decide, type Grant, isSegment, keyFault, lookupPathOf, lookupPaths } from '@countersign/permissions';
import fc from 'fast-check';

const SEGMENTS = ['a', 'b', 'ab', 'users', '1', '10', '{sub}', 'x{sub}', 'alice', 'a.b'];
const segment = fc.constantFrom(...SEGMENTS);
const path = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join('/'));
const subject = fc.constantFrom(
  'alice',
  'a',
  '1',
  '10',
  '{sub}',
  'a/b',
  'b/',
  '..',
  '.',
  '',
  '/',
  'users/1',
  '$&',
  '$`',
);
const action = fc.constantFrom<'read' | 'write'>('read', 'write');
const grant: fc.Arbitrary<Grant> = fc
  .record({
    id: fc.uuid(),
    place: fc.oneof(
      path.map((key) => ({ path: key, isPrefix: false })),
      path.map((key) => ({ path: `${key}/`, isPrefix: true })),
      fc.constant({ path: '', isPrefix: true }),
    ),
    actions: fc.uniqueArray(action, { minLength: 1 }),
    effect: fc.constantFrom<'allow' | 'deny'>('allow', 'allow', 'deny'),
  })
  .map(({ place, ...rest }) => ({ ...place, ...rest }));

/** Grants and a request, which half of the time is for what one of them is about. */
const situation = fc
  .tuple(fc.array(grant, { maxLength: 6 }), path, subject, action, fc.boolean())
  .map(([grants, key, subject, wanted, isAimed]) => {
    const aim = isAimed ? grants[0] : undefined;
    const aimed = aim && aim.path.replaceAll('{sub}', () => subject) + (aim.isPrefix ? key : '');
    return { grants, subject, wanted, key: aimed !== undefined && keyFault(aimed) === null ? aimed : key };
  });

/** What a grant covers, said another way: by comparing segments one by one. */
function coversBySegments({ path: granted, isPrefix }: Grant, key: string, subject: string): boolean {
  if (!isPrefix) return key === granted;
  if (granted.includes('{sub}') && !isSegment(subject)) return false;
  const wanted = granted
    .split('/')
    .slice(0, -1)
    .map((part) => part.split('{sub}').join(subject));
  const given = key.split('/');
  return given.length > wanted.length && wanted.every((part, index) => part === given[index]);
}

describe('decide', () => {
  it('allows what some grant covers and none denies, segment by segment, and nothing else', () => {
    const seen = { allowed: 0, denied: 0 };
    fc.assert(
      fc.property(situation, ({ grants, key, subject, wanted }) => {
        const matching = grants.filter((one) => one.actions.includes(wanted) && coversBySegments(one, key, subject));
        const expected =
          matching.some(({ effect }) => effect === 'allow') && matching.every(({ effect }) => effect === 'allow');
        seen[expected ? 'allowed' : 'denied']++;
        expect(decide(grants, { action: wanted, key, subject }).isAllowed).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
    expect(Math.min(seen.allowed, seen.denied)).toBeGreaterThan(100);
  });

  it('decides the same from what the index look-up finds as from all grants: none that covers the key is missed', () => {
    let narrowed = 0;
    fc.assert(
      fc.property(situation, ({ grants, key, subject, wanted }) => {
        const paths = lookupPaths(key);
        const found = grants.filter((one) => paths.includes(lookupPathOf(one.path, one.isPrefix)));
        if (found.length < grants.length) narrowed++;
        expect(decide(found, { action: wanted, key, subject })).toEqual(
          decide(grants, { action: wanted, key, subject }),
        );
      }),
      { numRuns: 3_000 },
    );
    expect(narrowed).toBeGreaterThan(500);
  });

  it('keeps every {sub} inside one segment: no subject reaches out of the folder that bears its name', () => {
    const everyones: Grant = { id: 'g', path: 'users/{sub}/', isPrefix: true, actions: ['read'], effect: 'allow' };
    fc.assert(
      fc.property(fc.oneof(subject, fc.string({ unit: 'binary' })), path, (subject, rest) => {
        for (const key of [`users/${rest}`, `users/${subject}/${rest}`]) {
          if (keyFault(key) !== null) continue;
          const isOwn = key.split('/')[1] === subject && key.split('/').length > 2;
          expect(decide([everyones], { action: 'read', key, subject }).isAllowed).toBe(isOwn);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['users/1/', 'users/1/a', true],
    ['users/1/', 'users/10/a', false],
    ['users/1/', 'users/1', false],
    ['', 'anything/at/all', true],
    ['{sub}/', 'alice/a', true],
    ['a/{sub}x/', 'a/alicex/b', true],
    ['{sub}/{sub}/', 'alice/alice/b', true],
    ['{sub}/{sub}/', 'alice/bob/b', false],
  ])('a grant on the prefix %j covers %j: %j', (prefix, key, isAllowed) => {
    const grants: Grant[] = [{ id: 'g', path: prefix, isPrefix: true, actions: ['read'], effect: 'allow' }];
    expect(decide(grants, { action: 'read', key, subject: 'alice' }).isAllowed).toBe(isAllowed);
  });

  it('refuses where there is no grant', () => {
    expect(decide([], { action: 'read', key: 'a', subject: 'alice' })).toEqual({
      isAllowed: false,
      reason: 'not-granted',
    });
  });
});

describe('lookupPaths', () => {
  it('is the key and its ancestors, each once: as many as the key is deep', () => {
    expect(lookupPaths('a/b/c')).toEqual(['', 'a/', 'a/b/', 'a/b/c']);
    expect(lookupPaths('a')).toEqual(['', 'a']);
    fc.assert(
      fc.property(path, (key) => {
        const paths = lookupPaths(key);
        expect(new Set(paths).size).toBe(paths.length);
        expect(paths).toHaveLength(key.split('/').length + 1);
        for (const ancestor of paths) expect(key.startsWith(ancestor)).toBe(true);
      }),
    );
  });

  it.each([
    ['a/{sub}/b/', true, 'a/'],
    ['{sub}/', true, ''],
    ['a/x{sub}/', true, 'a/'],
    ['a/{sub}', false, 'a/{sub}'],
    ['a/b/', true, 'a/b/'],
    ['', true, ''],
  ])('a grant on %j (prefix: %j) is found at %j', (granted, isPrefix, lookupPath) => {
    expect(lookupPathOf(granted, isPrefix)).toBe(lookupPath);
  });
});
