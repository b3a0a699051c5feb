import { createHash } from 'node:crypto';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Refusal } from './refusal.js';
import type { Written } from './whole-file.js';

/**
 * Writes lines to whoever reads, no faster than they read. What they do with them nobody knows: `assertWhole` is all that stands
 * behind it.
 */
export async function writeStream(
  target: Writable,
  batches: AsyncIterable<readonly string[]>,
  assertWhole: (rows: number) => Promise<void>,
  signal: AbortSignal,
): Promise<Written> {
  const digest = createHash('sha256');
  let [rows, bytes] = [0, 0];
  async function* lines() {
    for await (const batch of batches) {
      const text = Buffer.from(`${batch.join('\n')}\n`);
      digest.update(text);
      rows += batch.length;
      bytes += text.length;
      yield text;
    }
  }
  try {
    await pipeline(lines, target, { signal, end: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
    throw new Refusal('Whoever read standard output stopped before the end.');
  }
  await assertWhole(rows);
  return { rows, bytes, sha256: digest.digest('hex') };
}
