import type { Writable } from 'node:stream';
import type pg from 'pg';
import { detach } from './detach.js';
import { dropDetached } from './drop-detached.js';
import { beginHolding } from './hold.js';
import type { ExportOptions } from './options.js';
import { findMonth, type Partition } from './partitions.js';
import { countRows, readLines } from './rows.js';
import { writeStream } from './standard-output.js';
import { writeWholeFile } from './whole-file.js';

/** Where what is told on the way goes. */
export interface Reporting {
  stdout: Writable;
  /** A line for whoever waits. */
  onProgress: (text: string) => void;
  /** What was done, as soon as it is. */
  onDone: (text: string) => void;
  /** Cuts it off. */
  signal: AbortSignal;
}

/**
 * Exports a month from one snapshot, and, where asked to, detaches it in the same transaction, so that no row is detached that was
 * not exported, and drops it.
 * @throws Refusal
 */
export async function exportMonth(client: pg.Client, options: ExportOptions, reporting: Reporting): Promise<void> {
  const { month, isDropped, patienceSeconds } = options;
  const { onDone, signal } = reporting;
  const partition = await findMonth(client, month);
  const isPart = partition.state !== 'detached';
  if (options.isDetached && isPart) await beginHolding(client, partition, month);
  else await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');

  const { rows, bytes, sha256 } = await write(client, partition, options, reporting);
  onDone(`${month.name} of ${partition.name}: ${rows} rows, ${bytes} bytes, sha256 ${sha256}`);
  if (options.isDetached && isPart) await detach(client, partition, patienceSeconds, signal);
  else await client.query('COMMIT');
  if (options.isDetached) {
    onDone(`${partition.name} is ${isPart ? '' : 'already '}detached: it is no part of the ledger any more`);
  }
  if (isDropped) {
    await dropDetached(client, partition.name);
    onDone(`${partition.name} is dropped`);
  }
}

function write(client: pg.Client, partition: Partition, { month, output }: ExportOptions, reporting: Reporting) {
  const { stdout, signal } = reporting;
  const assertWhole = async (rows: number) => {
    const expected = await countRows(client, partition, month);
    if (rows !== expected) throw new Error(`${rows} rows were read of ${expected}: nothing is kept.`);
  };
  const batches = withProgress(readLines(client, partition, month), partition, reporting);
  return output === '-'
    ? writeStream(stdout, batches, assertWhole, signal)
    : writeWholeFile(output, batches, assertWhole, signal);
}

async function* withProgress(
  batches: AsyncIterable<string[]>,
  { state, rows: about }: Partition,
  { onProgress }: Reporting,
) {
  let rows = 0;
  let toldAt = performance.now();
  for await (const batch of batches) {
    rows += batch.length;
    yield batch;
    if (performance.now() - toldAt < 2000) continue;
    toldAt = performance.now();
    onProgress(`${rows} rows${state === 'default' ? '' : ` of about ${Math.round(about)}`} …`);
  }
}
