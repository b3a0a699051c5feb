import { describe, expect, it } from '@jest/globals';
import {
  applyPolicy,
  autoMode,
  contentTypeFault,
  defaultUseCases,
  essenceOf,
  MAX_EXPIRY_SECONDS,
  type UploadMode,
  type UseCase,
  type WantedTime,
} from '@countersign/policy';
import fc from 'fast-check';

const useCase: fc.Arbitrary<UseCase> = fc
  .tuple(
    fc.integer({ min: 1, max: MAX_EXPIRY_SECONDS }),
    fc.integer({ min: 1, max: MAX_EXPIRY_SECONDS }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.boolean(),
  )
  .map(([one, other, at, hasDefault]) => {
    const [min, max] = [Math.min(one, other), Math.max(one, other)];
    const anything = {
      contentTypes: [],
      minContentLength: null,
      maxContentLength: null,
      overwrite: false,
      disposition: null,
      requireVerified: false,
    };
    const defaultExpirySeconds = hasDefault ? Math.round(min + at * (max - min)) : null;
    return {
      name: 'u',
      action: 'any',
      minExpirySeconds: min,
      defaultExpirySeconds,
      maxExpirySeconds: max,
      ...anything,
    };
  });
const download = { action: 'read', key: 'a', disposition: null, hasFilename: false, contentType: null } as const;
const upload = {
  action: 'write' as const,
  key: 'a',
  mode: 'put' as UploadMode,
  contentType: 'image/png',
  contentLength: 5 as number | null,
  contentLengthRange: null as { min: number; max: number } | null,
  overwrite: false,
  isSmallToo: false,
};
const now = 1_800_000_000;
const store = { forms: true };

describe('applyPolicy', () => {
  it('gives exactly the expiry that was asked for, or the default, and only the credential can cut it', () => {
    const life = fc.option(fc.integer({ min: 1, max: MAX_EXPIRY_SECONDS }), { nil: null });
    const outcomes = { within: 0, cut: 0, refused: 0 };
    fc.assert(
      fc.property(
        useCase,
        fc.option(fc.integer({ min: 1, max: 2 * MAX_EXPIRY_SECONDS }), { nil: null }),
        life,
        (policy, asked, credential) => {
          const credentialExpiresAt = credential === null ? null : now + credential;
          const time = { now, isStable: false, expiresInSeconds: asked, credentialExpiresAt };
          const outcome = applyPolicy(policy, download, time, store);
          const wanted = asked ?? policy.defaultExpirySeconds;
          const isInRange = wanted !== null && wanted >= policy.minExpirySeconds && wanted <= policy.maxExpirySeconds;
          expect(outcome.isWithin).toBe(isInRange);
          if (!outcome.isWithin) {
            outcomes.refused++;
            expect(outcome.violations.map(({ code }) => code)).toEqual([
              asked === null ? 'expiry-required' : 'expiry-out-of-range',
            ]);
            return;
          }
          const isCut = credential !== null && credential < wanted!;
          outcomes[isCut ? 'cut' : 'within']++;
          expect(outcome.terms.expiresInSeconds).toBe(isCut ? credential : wanted);
          expect(outcome.terms.expiryLimitedBy).toBe(isCut ? 'credential' : null);
        },
      ),
      { numRuns: 3_000 },
    );
    expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(100);
  });

  it('gives a stable URL the same terms all through a window of half its life, and never more life than was asked', () => {
    const outcomes = { same: 0, next: 0, cut: 0 };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: MAX_EXPIRY_SECONDS }),
        fc.integer({ min: 0, max: MAX_EXPIRY_SECONDS }),
        fc.double({ min: 0, max: 1.5, noNaN: true }),
        fc.option(fc.integer({ min: MAX_EXPIRY_SECONDS, max: 2 * MAX_EXPIRY_SECONDS }), { nil: null }),
        (asked, offset, later, life) => {
          const policy = { ...defaultUseCases[0]!, minExpirySeconds: 1, maxExpirySeconds: asked };
          const window = Math.max(1, Math.floor(asked / 2));
          const credentialExpiresAt = life === null ? null : now + life;
          const termsAt = (at: number) => {
            const time = { now: at, isStable: true, expiresInSeconds: asked, credentialExpiresAt };
            const outcome = applyPolicy(policy, download, time, store);
            if (!outcome.isWithin) throw new Error('an expiry within the range');
            const { issuedAt, expiresInSeconds, expiryLimitedBy } = outcome.terms;
            const left = issuedAt + expiresInSeconds - at;
            expect(issuedAt % window).toBe(0);
            expect(expiresInSeconds).toBeLessThanOrEqual(asked);
            expect(left).toBeLessThanOrEqual(asked);
            if (expiryLimitedBy === null) expect([expiresInSeconds, left >= asked / 2]).toEqual([asked, true]);
            else expect(issuedAt + expiresInSeconds).toBe(credentialExpiresAt);
            return outcome.terms;
          };
          const at = now + offset;
          const [terms, then] = [at, at + Math.round(later * window)].map(termsAt);
          if (terms?.expiryLimitedBy) outcomes.cut++;
          const isInWindow = Math.floor(at / window) === Math.floor((at + Math.round(later * window)) / window);
          outcomes[isInWindow ? 'same' : 'next']++;
          if (isInWindow) expect(then).toEqual(terms);
          else expect(then!.issuedAt).toBeGreaterThan(terms!.issuedAt);
        },
      ),
      { numRuns: 3_000 },
    );
    expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(100);
  });

  it('never lets a browser run a download inline, and gives inline only with a type that it pins', () => {
    // Attack: HTML stored under photo.png, or an extension, a type or a case that a list forgot.
    const active = [
      'text/html',
      'TEXT/HTML',
      'image/svg+xml',
      'application/xhtml+xml;a=b',
      'application/rss+xml',
      'text/javascript',
      'application/ecmascript',
      'application/xml',
      'text/xml',
      'message/rfc822',
      'multipart/related',
      'application/wasm',
    ];
    const types = fc.constantFrom(null, 'image/png', 'text/plain', 'application/pdf', ...active);
    const keys = fc.constantFrom(
      'a',
      'a.png',
      'a.html',
      'A.HTM',
      'a.svg',
      'a.svgz',
      'x.html/a',
      'a.xml',
      'a.js',
      'a.mhtml',
      '.html',
      'a.png.html',
      'a.unknown',
    );
    const dispositions = fc.constantFrom<'attachment' | 'inline' | null>('attachment', 'inline', null);
    fc.assert(
      fc.property(
        keys,
        types,
        dispositions,
        dispositions,
        fc.boolean(),
        (key, contentType, disposition, ofPolicy, hasFilename) => {
          const policy = { ...defaultUseCases[0]!, disposition: ofPolicy };
          const wanted = {
            ...download,
            key,
            contentType,
            disposition,
            hasFilename,
          };
          const time = { now, isStable: false, expiresInSeconds: null, credentialExpiresAt: null };
          const outcome = applyPolicy(policy, wanted, time, store);
          if (!outcome.isWithin) throw new Error('a download within its limits');
          const { terms } = outcome;
          if (ofPolicy === 'attachment' || disposition === 'attachment') expect(terms.disposition).toBe('attachment');
          if (contentType !== null && active.includes(contentType)) expect(terms.disposition).toBe('attachment');
          if (contentType === null && /\.(?:html?|svgz?|xml|js|mhtml)$/i.test(key))
            expect(terms.disposition).toBe('attachment');
          if (hasFilename && disposition === null) expect(terms.disposition).toBe('attachment');
          if (terms.disposition === 'inline')
            expect(terms.contentType).toMatch(/^(?:image\/png|text\/plain|application\/pdf)$/);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('tells all violations of an upload at once', () => {
    const strict: UseCase = {
      ...defaultUseCases[4]!,
      contentTypes: ['image/*'],
      minContentLength: 5,
      maxContentLength: 9,
    };
    const wanted = { ...upload, contentType: 'text/plain', contentLength: 10, overwrite: true };
    const time: WantedTime = { now, isStable: false, expiresInSeconds: 1, credentialExpiresAt: null };
    const codesOf = (more: Partial<WantedTime & typeof wanted>) => {
      const outcome = applyPolicy(strict, { ...wanted, ...more }, { ...time, ...more }, store);
      return outcome.isWithin ? [] : outcome.violations.map(({ code }) => code);
    };
    expect(codesOf({})).toEqual([
      'expiry-out-of-range',
      'content-type-not-allowed',
      'too-large',
      'overwrite-not-allowed',
    ]);
    expect(codesOf({ contentLength: 4, overwrite: false, expiresInSeconds: 300 })).toEqual([
      'content-type-not-allowed',
      'too-small',
    ]);
    expect(
      codesOf({
        contentLength: 5,
        overwrite: false,
        expiresInSeconds: null,
        contentType: 'IMAGE/png',
      }),
    ).toEqual([]);
  });
});

describe('The mode of an upload', () => {
  const MIB = 1024 ** 2;
  const useCase: UseCase = { ...defaultUseCases[4]!, minContentLength: 2, maxContentLength: null };
  const violationsOf = (wanted: Partial<typeof upload>, offer = store, policy = useCase) => {
    const time = { now, isStable: false, expiresInSeconds: null, credentialExpiresAt: null };
    const outcome = applyPolicy(policy, { ...upload, ...wanted }, time, offer);
    return outcome.isWithin ? [] : outcome.violations.map(({ code, pointer, limits }) => [code, pointer, limits]);
  };
  const form = (min: number, max: number) => ({
    mode: 'post' as const,
    contentLength: null,
    contentLengthRange: { min, max },
  });

  it.each<[number | null, UploadMode]>([
    [0, 'put'],
    [64 * MIB, 'put'],
    [64 * MIB + 1, 'multipart'],
    [null, 'post'],
  ])('of %j bytes, left to us, is %s', (contentLength, mode) => expect(autoMode(contentLength)).toBe(mode));

  it('bounds the size of each at both ends', () => {
    const limits = { minContentLength: 2, maxContentLength: 5 * 1024 * MIB };
    const inParts = { minContentLength: 5 * MIB, maxContentLength: 5 * MIB * MIB };
    const any = { ...useCase, minContentLength: null };
    const sized = (mode: UploadMode, contentLength: number) => violationsOf({ mode, contentLength });
    for (const good of [2, limits.maxContentLength]) expect(sized('put', good)).toEqual([]);
    for (const good of [5 * MIB, 5 * MIB * MIB]) expect(sized('multipart', good)).toEqual([]);
    expect(sized('put', 1)).toEqual([['too-small', '/contentLength', limits]]);
    expect(sized('put', limits.maxContentLength + 1)).toEqual([['too-large', '/contentLength', limits]]);
    expect(sized('multipart', 5 * MIB - 1)).toEqual([['too-small', '/contentLength', inParts]]);
    const small = (contentLength: number) =>
      violationsOf({ mode: 'multipart', contentLength, isSmallToo: true }, store, any);
    expect([small(1), small(0)]).toEqual([[], [['too-small', '/contentLength', { ...inParts, minContentLength: 1 }]]]);
    expect(sized('multipart', 5 * MIB * MIB + 1)).toEqual([['too-large', '/contentLength', inParts]]);
    expect(violationsOf(form(2, limits.maxContentLength))).toEqual([]);
    expect(violationsOf(form(1, limits.maxContentLength + 1))).toEqual([
      ['too-large', '/contentLengthRange/max', limits],
      ['too-small', '/contentLengthRange/min', limits],
    ]);
  });

  it('does not stretch what the use case allows', () => {
    const narrow = { ...useCase, minContentLength: 6 * MIB, maxContentLength: 7 * MIB };
    const limits = { minContentLength: 6 * MIB, maxContentLength: 7 * MIB };
    for (const mode of ['put', 'multipart'] as const) {
      expect(violationsOf({ mode, contentLength: 5 * MIB }, store, narrow)).toEqual([
        ['too-small', '/contentLength', limits],
      ]);
      expect(violationsOf({ mode, contentLength: 8 * MIB }, store, narrow)).toEqual([
        ['too-large', '/contentLength', limits],
      ]);
    }
  });

  it.each<UploadMode>(['put', 'multipart'])('%s takes no range, since it cannot hold to one', (mode) =>
    expect(violationsOf({ ...form(5 * MIB, 6 * MIB), mode })).toEqual([
      ['size-range-not-available', '/contentLengthRange', undefined],
    ]),
  );

  it('is a form only where the bucket offers them', () => {
    const none = { forms: false };
    expect(violationsOf(form(2, 3), none)).toEqual([['mode-not-available', '/mode', undefined]]);
    for (const mode of ['put', 'multipart'] as const)
      expect(violationsOf({ mode, contentLength: 5 * MIB }, none)).toEqual([]);
  });

  it('is no form for a key in which a store would replace something', () => {
    // Attack: `${filename}` in a form's key lets the holder write any key that begins as this one does.
    for (const key of ['${filename}', 'a/${filename}', '${', 'a${b'])
      expect(violationsOf({ ...form(2, 3), key })).toEqual([['mode-not-available', '/key', undefined]]);
    for (const key of ['$', '{filename}', 'a$b{c']) expect(violationsOf({ ...form(2, 3), key })).toEqual([]);
    expect(violationsOf({ key: '${filename}' })).toEqual([]);
  });
});

describe('contentTypeFault', () => {
  it('lets nothing through that a header could be split or read twice by', () => {
    const parts = fc.constantFrom('; a=b', '; a="b c"', ';a=b', '/', ' ', ',', '\r\n', '\t', '\0', 'é', '=', '\\', '"');
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.array(parts, { maxLength: 4 }).map((all) => `text/x${all.join('')}`),
        (text) => {
          if (contentTypeFault(text) !== null) return;
          accepted++;
          expect(text).toMatch(/^[\t -~]+$/);
          expect(text).toBe(text.trim());
          expect(text.replace(/"[^"]*"/g, '')).not.toContain(',');
          expect(essenceOf(text)).toMatch(/^[^\s;,"]+\/[^\s;,"]+$/);
          expect(new Headers({ 'content-type': text }).get('content-type')).toBe(text);
        },
      ),
      { numRuns: 5_000 },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});

describe('The default use cases', () => {
  it('each keep to 1 ≤ min ≤ default ≤ max ≤ seven days', () => {
    for (const { minExpirySeconds: min, defaultExpirySeconds, maxExpirySeconds: max } of defaultUseCases) {
      const order = [1, min, defaultExpirySeconds ?? min, max, MAX_EXPIRY_SECONDS];
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    }
  });
});
