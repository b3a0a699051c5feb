import { describe, expect, it } from '@jest/globals';
import { filenameFault, isSegment, keyFault, prefixFault } from '@countersign/permissions';
import { objectAddress } from '@countersign/signing';
import fc from 'fast-check';

const store = { endpoint: 'https://s3.example.com', region: 'us-east-1', bucket: 'bucket', forcePathStyle: true };

/** Texts with much of what is dangerous in a key: separators, dots, escapes, controls, halves of characters, marks. */
const nasty = fc
  .array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.constantFrom(
          '/',
          '.',
          '..',
          '%',
          '%2f',
          '%2e',
          '\\',
          '?',
          '#',
          ' ',
          '+',
          '{sub}',
          'é',
          'e\u0301',
        ),
      },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          '\0',
          '\n',
          '\u007f',
          '\u0085',
          '\ud800',
          '\udc00',
          '\ufeff',
          '\u202e',
          '🙂',
          '\u2028',
        ),
      },
      { weight: 4, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 3 }) },
      {
        weight: 2,
        arbitrary: fc.string({
          unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)),
          minLength: 1,
          maxLength: 3,
        }),
      },
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

describe('keyFault', () => {
  it('lets no key through that a URL parser would rewrite: what is signed is what is asked for', () => {
    let accepted = 0;
    fc.assert(
      fc.property(nasty, (key) => {
        if (keyFault(key) !== null) return;
        accepted++;
        const address = objectAddress(store, key);
        expect(new URL(address).href).toBe(address);
        expect(decodeURIComponent(new URL(address).pathname.slice('/bucket/'.length))).toBe(key);
      }),
      { numRuns: 2_000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it('lets no two keys through that are one object to somebody: no two have one address', () => {
    fc.assert(
      fc.property(nasty, nasty, (one, other) => {
        if (one === other || keyFault(one) !== null || keyFault(other) !== null) return;
        expect(objectAddress(store, one)).not.toBe(objectAddress(store, other));
        expect(one.normalize('NFC')).not.toBe(other.normalize('NFC'));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes whatever is made of plain segments and has 1,024 bytes at most', () => {
    const segment = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter(isSegment);
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 8 }), (segments) => {
        const key = segments.join('/');
        fc.pre(Buffer.byteLength(key) <= 1024 && key.normalize('NFC') === key);
        expect(keyFault(key)).toBeNull();
        expect(prefixFault(`${key}/`)).toBeNull();
        expect(prefixFault(key)).not.toBeNull();
        if (segments.length > 1) expect(filenameFault(key)).not.toBeNull();
      }),
    );
  });

  it.each([
    ['a'.repeat(1024), null],
    ['a'.repeat(1025), '1024 bytes'],
    ['é'.repeat(512), null],
    ['é'.repeat(513), '1024 bytes'],
    ['🙂'.repeat(256), null],
    ['🙂'.repeat(257), '1024 bytes'],
    ['', 'empty'],
    ['/a', 'start with'],
    ['a//b', 'segment'],
    ['a/./b', 'segment'],
    ['a/..', 'segment'],
    ['a\\b', 'backslash'],
    ['a\0', 'control'],
    ['\ud800', 'surrogate'],
    ['e\u0301', 'NFC'],
    ['\u212b', 'NFC'],
    ['...', null],
  ])('says of %j what is wrong', (key, fault) => {
    if (fault === null) expect(keyFault(key)).toBeNull();
    else expect(keyFault(key)).toContain(fault);
  });
});
