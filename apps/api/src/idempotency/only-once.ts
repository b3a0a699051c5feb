import type { Transaction } from '@countersign/database';
import { keyReused } from '@countersign/ledger';
import type { Caller } from '../http/caller.js';
import type { Once } from './once.js';

/**
 * An administrative change that is made once for each key of the caller's: its answer is kept in the transaction that makes it, and both are
 * there or neither. Whoever repeats the request gets that answer and changes nothing; of two at once, one waits for the other. Without
 * a key it is the change itself. No answer may hold a secret: it is kept as it is.
 * @throws ProblemError `idempotency-key-reused`
 */
export function onlyOnce<Answer extends object>(
  caller: Caller,
  once: Once | null,
  change: Change<Answer>,
): Change<Answer> {
  return once ? (transaction) => makeOnce(transaction, caller, once, change) : change;
}

type Change<Answer> = (transaction: Transaction) => Promise<Answer>;

async function makeOnce<Answer extends object>(
  transaction: Transaction,
  { tenantId, subject }: Caller,
  { key, fingerprint }: Once,
  change: Change<Answer>,
): Promise<Answer> {
  // The key's row comes last: the hot path, where many wait together, would wait for it until this transaction ends.
  const lock = `countersign.idempotency-key:${JSON.stringify([tenantId, subject, key])}`;
  await transaction.$queryRaw`SELECT 1 FROM pg_advisory_xact_lock(hashtextextended(${lock}, 0))`;
  const [kept] = await transaction.$queryRaw<Kept[]>`
    SELECT fingerprint, answer, expires_at > now() AS "isLive" FROM idempotency_keys
     WHERE tenant_id = ${tenantId}::uuid AND subject = ${subject} AND key = ${key}`;
  if (kept?.isLive) {
    if (kept.fingerprint !== fingerprint || kept.answer === null) throw keyReused();
    return JSON.parse(kept.answer) as Answer;
  }

  const answer = await change(transaction);
  if (kept) {
    await transaction.$executeRaw`
      DELETE FROM idempotency_keys
       WHERE tenant_id = ${tenantId}::uuid AND subject = ${subject} AND key = ${key} AND expires_at <= now()`;
  }
  const inserted = await transaction.$executeRaw`
    INSERT INTO idempotency_keys (tenant_id, subject, key, fingerprint, answer, expires_at)
    VALUES (${tenantId}::uuid, ${subject}, ${key}, ${fingerprint}, ${JSON.stringify(answer)}, now() + interval '24 hours')
    ON CONFLICT DO NOTHING`;
  // An issuing call has taken the key meanwhile: nothing of this is committed.
  if (inserted === 0) throw keyReused();
  return answer;
}

interface Kept {
  fingerprint: string;
  /** Null where an issuing call has the key. */
  answer: string | null;
  isLive: boolean;
}
