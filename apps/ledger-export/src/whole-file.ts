import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { link, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { Refusal } from './refusal.js';

/** What stands in a file. */
export interface Written {
  rows: number;
  bytes: number;
  /** Of the file's bytes, as `sha256sum` gives it. */
  sha256: string;
}

/**
 * Writes lines to a file that appears under its name when it is whole: all lines written, on disk, read back and found the same,
 * and `assertWhole` content with their number. Whatever goes wrong before, there is no file of that name, and none is overwritten.
 * A name that ends in `.gz` is compressed.
 * @throws Refusal where the file is there already.
 */
export async function writeWholeFile(
  file: string,
  batches: AsyncIterable<readonly string[]>,
  assertWhole: (rows: number) => Promise<void>,
  signal: AbortSignal,
): Promise<Written> {
  refuseExisting(file);
  const unfinished = `${file}.unfinished-${randomBytes(4).toString('hex')}`;
  try {
    const sent = await write(unfinished, file.endsWith('.gz'), batches, signal);
    const { content, ...written } = await readBack(unfinished, file.endsWith('.gz'), signal);
    if (content !== sent.content || written.rows !== sent.rows)
      throw new Error(`${file} was read back and is not what was written: is its disk sound?`);
    await assertWhole(written.rows);
    await giveName(unfinished, file);
    return written;
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** Whom, when and from where: nobody's but the owner's. */
const PRIVATE = 0o600;

async function write(file: string, isZipped: boolean, batches: AsyncIterable<readonly string[]>, signal: AbortSignal) {
  const digest = createHash('sha256');
  let rows = 0;
  async function* lines() {
    for await (const batch of batches) {
      const text = `${batch.join('\n')}\n`;
      digest.update(text);
      rows += batch.length;
      yield text;
    }
  }
  // It is on disk before it is closed.
  const target = createWriteStream(file, { flags: 'wx', mode: PRIVATE, flush: true });
  await (isZipped ? pipeline(lines, createGzip(), target, { signal }) : pipeline(lines, target, { signal }));
  return { rows, content: digest.digest('hex') };
}

async function readBack(file: string, isZipped: boolean, signal: AbortSignal): Promise<Written & { content: string }> {
  const [ofFile, ofContent] = [createHash('sha256'), createHash('sha256')];
  let [rows, bytes] = [0, 0];
  const source = createReadStream(file);
  async function* asStored(chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      ofFile.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  async function asLines(chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      ofContent.update(chunk);
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) rows += 1;
    }
  }
  await (isZipped
    ? pipeline(source, asStored, createGunzip(), asLines, { signal })
    : pipeline(source, asStored, asLines, { signal }));
  return { rows, bytes, sha256: ofFile.digest('hex'), content: ofContent.digest('hex') };
}

/** A second name for the same file is refused where that name is taken; a rename would overwrite. */
async function giveName(unfinished: string, file: string): Promise<void> {
  try {
    await link(unfinished, file);
  } catch (error) {
    refuseExisting(file);
    if (!NO_LINKS.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await rename(unfinished, file);
  }
  await syncDirectory(path.dirname(file));
}

/** What file systems without hard links answer. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

function refuseExisting(file: string): void {
  if (existsSync(file)) throw new Refusal(`${file} is there already: it is not overwritten. Choose another --output.`);
}

/** The name too must outlast a power failure. Windows cannot open a directory, and need not. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
