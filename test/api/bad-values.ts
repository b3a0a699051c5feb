/** Keys that must be refused, each for its own reason. None is repaired. */
export const BAD_KEYS: [what: string, key: unknown][] = [
  ['that is empty', ''],
  ['that is missing', undefined],
  ['that is null', null],
  ['that is a number', 7],
  ['that is a list', ['a']],
  ['that is an object', { value: 'a' }],
  ['with ..', 'users/alice/../bob/a'],
  ['that is ..', '..'],
  ['that ends in ..', 'a/..'],
  ['with .', 'a/./b'],
  ['with an empty segment', 'a//b'],
  ['with a leading slash', '/a'],
  ['that ends in a slash', 'a/'],
  ['with a backslash', 'a\\..\\b'],
  ['with NUL', 'a\0b'],
  ['with a line break', 'a\r\nb'],
  ['with DEL', 'a\u007f'],
  ['with a C1 control', 'a\u0085'],
  ['with half a character', 'a\ud800'],
  ['with the other half', '\udc00a'],
  ['that is not NFC', 'e\u0301'],
  ['of 1,025 bytes', 'a'.repeat(1025)],
  ['of 1,026 bytes in 513 characters', 'é'.repeat(513)],
];

/** Expiries that are no positive whole number; one that is, but is out of range, is another matter. */
export const BAD_EXPIRIES: unknown[] = ['60', '', 1.5, 0, -1, -0.5, null, true, [60], { seconds: 60 }];

/** Bodies that are no JSON object in UTF-8. */
export const BAD_BODIES: [what: string, body: Buffer | string][] = [
  ['nothing', ''],
  ['broken JSON', '{"bucket":"files","key":"a"'],
  ['JSON with more behind it', '{"bucket":"files"} {}'],
  ['JSON with a comment', '{"bucket":"files"/**/}'],
  ['NaN', '{"expiresInSeconds":NaN}'],
  ['bytes that are no UTF-8', Buffer.from('{"bucket":"files","key":"\xff"}', 'latin1')],
  ['UTF-16', Buffer.from('{"bucket":"files"}', 'utf16le')],
  ['a surrogate in UTF-8 bytes', Buffer.from('7b2261223a22eda080227d', 'hex')],
  ['a list', '[{"bucket":"files","key":"a"}]'],
  ['a string', '"files"'],
  ['null', 'null'],
  ['a number', '1'],
  ['true', 'true'],
];
