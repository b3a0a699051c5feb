import type { Partition } from './partitions.js';

/** The partitions, for people to read. */
export function partitionTable(partitions: readonly Partition[]): string {
  const rows = [HEADINGS, ...partitions.map(toCells)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const toLine = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        NUMBERS.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return `${rows.map(toLine).join('\n')}\n\nRows are PostgreSQL's estimate. Ranges are in UTC; the end belongs to the next one.\n`;
}

const HEADINGS = ['partition', 'state', 'from', 'to', 'rows', 'size'];
const NUMBERS = new Set([4, 5]);

function toCells({ name, state, from, to, rows, bytes }: Partition): string[] {
  const elsewhere = state === 'default' ? 'all other' : '';
  return [name, state, toDay(from) ?? elsewhere, toDay(to) ?? '', `~${Math.round(rows)}`, toSize(bytes)];
}

/** Months begin at midnight; a range made by hand may not. */
const toDay = (instant: string | null): string | null => instant?.replace('T00:00:00.000Z', '') ?? null;

function toSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const step = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  return `${(bytes / 1024 ** step).toFixed(step === 0 ? 0 : 1)} ${units[step] ?? ''}`;
}
