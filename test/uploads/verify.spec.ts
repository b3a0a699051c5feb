import { describe, expect, it } from '@jest/globals';
import { bareEtag, nextLook, type Promised, type Upload, UPLOAD_TIMES, verify } from '@countersign/uploads';

const CHECKSUM = 'n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=';
const OTHER = 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=';

const promised = (more: Partial<Promised> = {}): Promised => ({
  contentType: 'text/plain',
  contentLength: 5,
  contentLengthRange: null,
  checksumSha256: null,
  etag: null,
  ...more,
});
const found = { size: 5, contentType: 'text/plain', checksumSha256: null, etag: '"e"' };

describe('verify', () => {
  it('names what was looked at, and nothing that was not promised', () => {
    expect(verify(promised(), found)).toEqual({ verified: ['size', 'type'], mismatches: [] });
    expect(verify(promised(), { ...found, checksumSha256: OTHER }).verified).not.toContain('checksum');
  });

  it('holds a checksum, and the ETag of the parts put together, against what was promised', () => {
    const all = verify(promised({ checksumSha256: CHECKSUM, etag: 'e' }), { ...found, checksumSha256: CHECKSUM });
    expect(all).toEqual({ verified: ['size', 'type', 'checksum', 'etag'], mismatches: [] });
  });

  it.each([
    ['size', promised(), { ...found, size: 6 }, '5', '6'],
    ['size', promised({ contentLength: null, contentLengthRange: { min: 6, max: 9 } }), found, '6 to 9', '5'],
    ['type', promised(), { ...found, contentType: 'text/html' }, 'text/plain', 'text/html'],
    ['type', promised(), { ...found, contentType: 'TEXT/plain' }, 'text/plain', 'TEXT/plain'],
    ['type', promised(), { ...found, contentType: null }, 'text/plain', null],
    ['checksum', promised({ checksumSha256: CHECKSUM }), { ...found, checksumSha256: OTHER }, CHECKSUM, OTHER],
    ['checksum', promised({ checksumSha256: CHECKSUM }), found, CHECKSUM, null],
    ['etag', promised({ etag: '"x"' }), found, '"x"', '"e"'],
  ])('finds another %s', (what, wanted, is, expected, actual) => {
    const { verified, mismatches } = verify(wanted, is);
    expect(mismatches).toEqual([{ what, expected, found: actual }]);
    expect(verified).not.toContain(what);
  });

  it('tells of all that is wrong at once', () => {
    const { verified, mismatches } = verify(promised({ checksumSha256: CHECKSUM }), {
      size: 0,
      contentType: 'a/b',
      checksumSha256: OTHER,
      etag: '"e"',
    });
    expect(mismatches.map(({ what }) => what)).toEqual(['size', 'type', 'checksum']);
    expect(verified).toEqual([]);
  });

  it.each([
    [6, ['size']],
    [9, ['size']],
    [10, []],
  ])('takes both ends of a range for within it: %s bytes', (size, expected) => {
    const range = promised({ contentLength: null, contentLengthRange: { min: 6, max: 9 } });
    expect(verify(range, { ...found, size }).verified.filter((what) => what === 'size')).toEqual(expected);
  });
});

describe('bareEtag', () => {
  it('takes the quotes away, both or none', () => {
    expect(['"a"', 'a', '"a', 'a"', '""'].map(bareEtag)).toEqual(['a', 'a', '"a', 'a"', '']);
  });
});

describe('nextLook', () => {
  const expiresAt = new Date('2027-01-31T12:00:00Z');
  const after = (ms: number) =>
    nextLook({ expiresAt } as Upload, new Date(expiresAt.getTime() + ms), UPLOAD_TIMES)?.toISOString() ?? null;

  it('is at the end of the last URL, an hour, six hours and a day later, and then no more', () => {
    expect(after(-1)).toBe('2027-01-31T12:00:00.000Z');
    expect(after(0)).toBe('2027-01-31T13:00:00.000Z');
    expect(after(3_600_000)).toBe('2027-01-31T18:00:00.000Z');
    expect(after(6 * 3_600_000)).toBe('2027-02-01T12:00:00.000Z');
    expect(after(24 * 3_600_000)).toBeNull();
  });
});
