/** A month in UTC, as the ledger is partitioned. */
export interface Month {
  /** Such as `2026-03`. */
  name: string;
  /** Its first instant. */
  from: string;
  /** The next month's first instant. */
  to: string;
}

/** @returns null where it is no month. */
export function readMonth(text: string): Month | null {
  const [, year, month] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text) ?? [];
  if (!year || !month || year < '1970') return null;
  const start = (months: number) => new Date(Date.UTC(Number(year), Number(month) - 1 + months)).toISOString();
  return { name: text, from: start(0), to: start(1) };
}

/** The name that `create_ledger_partitions` gives the month's partition. */
export const partitionName = ({ name }: Month): string => `ledger_${name.replace('-', '_')}`;
