import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { holderOf, isLocked } from './locks.js';
import type { Partition } from './partitions.js';
import { Refusal } from './refusal.js';

/** The longest that an attempt waits, and so holds up the appends that queue behind it. */
const LOCK_TIMEOUT_MS = 50;

/** Between two attempts; appends go on meanwhile as if nothing were. */
const PAUSE_MS = 1000;

/**
 * Takes the partition out of the ledger, and commits the transaction that holds it.
 *
 * PostgreSQL refuses DETACH PARTITION … CONCURRENTLY where there is a default partition, and without it the whole ledger is locked. So each
 * attempt gives up after 50 ms and lets pass what queued behind it; where it gets the lock, what is left is a change of the catalogue,
 * which waits for nobody. From the lock to the commit it is one message: a client that stalls cannot keep the ledger.
 * @throws Refusal where somebody held the ledger all the time; nothing was changed then.
 */
export async function detach(
  client: pg.Client,
  { name }: Partition,
  patienceSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const table = `public.${client.escapeIdentifier(name)}`;
  const attempt = `
    SAVEPOINT attempt;
    SET LOCAL lock_timeout = '${LOCK_TIMEOUT_MS}ms';
    SET LOCAL statement_timeout = '1s';
    LOCK TABLE ONLY public.ledger IN ACCESS EXCLUSIVE MODE;
    LOCK TABLE ONLY public.ledger_default, ONLY ${table} IN ACCESS EXCLUSIVE MODE NOWAIT;
    ALTER TABLE public.ledger DETACH PARTITION ${table};
    COMMIT`;
  const givesUpAt = performance.now() + patienceSeconds * 1000;
  while (!(await succeeds(client, attempt))) {
    await client.query('ROLLBACK TO SAVEPOINT attempt');
    if (signal.aborted || performance.now() + PAUSE_MS > givesUpAt) {
      const holder = await holderOf(client, ['ledger', 'ledger_default', name]);
      const why = signal.aborted
        ? 'cut off'
        : `in ${patienceSeconds} s there was no moment in which nobody held the ledger`;
      throw new Refusal(
        `${name} is not detached: ${why}${holder}. The file is whole and stays. Try again later, with another --output.`,
      );
    }
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function succeeds(client: pg.Client, attempt: string): Promise<boolean> {
  try {
    await client.query(attempt);
    return true;
  } catch (error) {
    if (isLocked(error)) return false;
    throw error;
  }
}
