import { createHmac } from 'node:crypto';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hmacKey, HmacSha256 } from '../../libs/signing/src/hmac.js';

it('A signature is what createHmac gives, whatever the key and the text, and whatever was signed before', () => {
  const hmac = new HmacSha256();
  const key = fc.uint8Array({ minLength: 0, maxLength: 64 });
  // Texts of several times the room that it begins with, and shorter ones behind them.
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ maxLength: 20_000, size: 'max' }));
  fc.assert(
    fc.property(key, text, (bytes, signed) => {
      const expected = createHmac('sha256', bytes).update(signed).digest('hex');
      expect(hmac.hex(hmacKey(Buffer.from(bytes)), signed)).toBe(expected);
    }),
    { numRuns: 500 },
  );
});

it('A key that is longer than a block is refused: it would have to be hashed first', () => {
  expect(() => hmacKey(Buffer.alloc(65))).toThrow(RangeError);
});
