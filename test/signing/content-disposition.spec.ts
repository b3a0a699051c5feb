import { expect, it, test } from '@jest/globals';
import { contentDisposition } from '@countersign/signing';
import fc from 'fast-check';
import { filenames } from './cases.js';

test.each([
  ['a.txt', 'attachment; filename="a.txt"'],
  ['a b.txt', 'attachment; filename="a b.txt"'],
  ['a"b\'c;d,e.txt', `attachment; filename="a\\"b'c;d,e.txt"`],
  ['Größe.png', `attachment; filename="Gr__e.png"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.png`],
  ['€ & 日本.pdf', `attachment; filename="_ & __.pdf"; filename*=UTF-8''%E2%82%AC%20%26%20%E6%97%A5%E6%9C%AC.pdf`],
  ['😀.gif', `attachment; filename="_.gif"; filename*=UTF-8''%F0%9F%98%80.gif`],
  // RFC 8187 §3.2.1: none of these is an attr-char.
  ["é'()*%.txt", `attachment; filename="_'()*%.txt"; filename*=UTF-8''%C3%A9%27%28%29%2A%25.txt`],
  // Some agents decode what looks escaped in `filename`, so it is in `filename*` too.
  ['100%41.txt', `attachment; filename="100%41.txt"; filename*=UTF-8''100%2541.txt`],
])('%s is %s', (filename, value) => {
  expect(contentDisposition('attachment', filename)).toBe(value);
});

it('without a filename is the type alone', () => {
  expect(contentDisposition('inline')).toBe('inline');
  expect(contentDisposition('attachment')).toBe('attachment');
});

it('any filename makes one line of printable ASCII that says nothing but the filename', () => {
  // Attack: a filename that closes its quotes adds a parameter or a header of its own to the answer that a browser gets.
  const saysOnlyThat = (filename: string) => {
    const value = contentDisposition('inline', filename);
    expect(value).toMatch(
      /^inline; filename="(?:[ !#-[\]-~]|\\["\\])*"(?:; filename\*=UTF-8''[!#$&+.^_`|~%0-9A-Za-z-]+)?$/,
    );
    const extended = /filename\*=UTF-8''(.*)$/.exec(value)?.[1];
    const plain = /filename="(.*?)"(?:; filename\*=.*)?$/.exec(value)?.[1];
    expect(extended === undefined ? plain?.replace(/\\(.)/g, '$1') : decodeURIComponent(extended)).toBe(filename);
  };
  fc.assert(fc.property(filenames, saysOnlyThat), { numRuns: 500 });
});
