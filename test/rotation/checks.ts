import type { RotationMode } from '@countersign/signing-keys';
import type pg from 'pg';
import { ask } from './ask.js';
import type { KeyStore } from './key-stores.js';
import type { RotatedBucket } from './rotated-bucket.js';

/** What a rotation must never do, looked at each time that it does something. What is found is kept in words. */
export class Checks {
  readonly found: string[] = [];
  moments = 0;
  twoActive = 0;
  wrongDeletions = 0;
  #wasRevoked = false;
  /** Names that a `create` of this rotation has answered. */
  readonly #answered = new Set<string>();

  constructor(
    private readonly client: pg.Pool,
    private readonly store: KeyStore,
    private readonly bucket: RotatedBucket,
    private readonly mode: RotationMode,
  ) {}

  created(accessKeyId: string): void {
    this.#answered.add(accessKeyId);
  }

  /** Only a key whose name is on record, or was just answered, and which signs for nobody and has no live URL to break. */
  async beforeTakingAway(what: string, accessKeyId: string): Promise<void> {
    const { bucketId } = this.bucket;
    const { rows: keys } = await this.client.query<{ state: string }>(
      'SELECT state::text FROM signing_keys WHERE bucket_id = $1 AND access_key_id = $2',
      [bucketId, accessKeyId],
    );
    const { rows: intents } = await this.client.query(
      `SELECT FROM rotations WHERE bucket_id = $1 AND position($2 in concat(intent, leftovers)) > 0`,
      [bucketId, accessKeyId],
    );
    const isNamed = keys.length > 0 || intents.length > 0 || this.#answered.has(accessKeyId);
    const inUse = keys.find(({ state }) => ['probing', 'active', 'retiring'].includes(state));
    if (isNamed && !inUse && !this.store.foreign.includes(accessKeyId)) return;
    this.wrongDeletions++;
    this.found.push(`${what} of ${accessKeyId}, which is ${isNamed ? (inUse?.state ?? 'foreign') : 'not on record'}`);
  }

  /** After each recording: never two active keys, of a graceful rotation never none, and *revoked* only of what the store refuses. */
  async afterRecording(): Promise<void> {
    const { bucketId, keyPrefix } = this.bucket;
    const { rows } = await this.client.query<{ active: number; revoked: boolean }>(
      `SELECT (SELECT count(*)::int FROM signing_keys WHERE bucket_id = $1 AND state = 'active') AS active,
              EXISTS (SELECT FROM rotations WHERE bucket_id = $1 AND revoked_at IS NOT NULL) AS revoked`,
      [bucketId],
    );
    const { active = 0, revoked = false } = rows[0] ?? {};
    this.moments++;
    if (active > 1) this.twoActive++;
    if (active > 1 || (active < 1 && this.mode === 'graceful')) this.found.push(`${active} active keys`);
    if (!revoked || this.#wasRevoked) return;
    this.#wasRevoked = true;
    const answer = await ask(`${keyPrefix}any`, this.store.firstKey);
    if (answer !== 'InvalidAccessKeyId') this.found.push(`revoked, and the store says ${answer}`);
  }
}

/** Names of the store's keys that nothing here stands for, and of those that ought to be there and are not. */
export async function orphans(client: pg.Pool, store: KeyStore, { bucketId }: RotatedBucket): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT access_key_id AS name FROM signing_keys WHERE bucket_id = $1 AND state = 'active'`,
    [bucketId],
  );
  const wanted = new Set([...rows.map(({ name }) => name), ...store.foreign]);
  const there = new Set(await store.names());
  return [
    ...[...there].filter((name) => !wanted.has(name)).map((name) => `orphan ${name}`),
    ...[...wanted].filter((name) => !there.has(name)).map((name) => `missing ${name}`),
  ];
}

const STEPS: Record<RotationMode, string> = {
  graceful: 'create-key probe-key promote wait-for-urls disable-key prove-dead delete-key',
  immediate: 'disable-key create-key probe-key promote prove-dead delete-key',
  revocation: 'disable-key prove-dead delete-key',
};

const EVENTS: Record<RotationMode, string[]> = {
  graceful: ['rotation.finished', 'rotation.promoted', 'rotation.revoked', 'rotation.started'],
  immediate: ['rotation.finished', 'rotation.promoted', 'rotation.revoked', 'rotation.started'],
  revocation: ['rotation.finished', 'rotation.revoked', 'signing-key.revocation-requested'],
};

/** What is on record of a rotation that is over, as far as it is not as it must be. */
export async function records(
  client: pg.Pool,
  { tenantId, bucketId }: RotatedBucket,
  mode: RotationMode,
  helped: number,
): Promise<string[]> {
  const found: string[] = [];
  const { rows: rotations } = await client.query<Record<string, unknown>>(
    'SELECT * FROM rotations WHERE bucket_id = $1',
    [bucketId],
  );
  const [rotation = {}] = rotations;
  const steps = rotation['steps'] as { name: string; finishedAt: string | null }[];
  // Whether there was a step for what seemed not to have been made depends on where a worker died, and retries begin a step anew.
  const names = new Set(steps.map(({ name }) => name).filter((name) => name !== 'find-leftovers'));
  if ([...names].join(' ') !== STEPS[mode]) found.push(`steps: ${[...names].join(' ')}`);
  if (steps.some(({ finishedAt }) => finishedAt === null)) found.push('a step without an end');
  if (rotation['state'] !== 'done' || !rotation['finished_at']) found.push(`it is ${String(rotation['state'])}`);
  if (!rotation['revoked_at'] || !rotation['control']) found.push('it never said revoked');
  if (rotation['intent'] || (rotation['leftovers'] as unknown[]).length > 0) found.push('an intent is left');
  if (rotation['lease']) found.push('a lease is left');

  const { rows: keys } = await client.query<{ state: string; signs: boolean }>(
    'SELECT state::text, sealed_credential IS NOT NULL AS signs FROM signing_keys WHERE bucket_id = $1',
    [bucketId],
  );
  const over = helped > 0 ? ['deleted', 'needs-operator'] : ['deleted'];
  const wrong = keys.filter(({ state, signs }) => (state === 'active' ? !signs : !over.includes(state) || signs));
  if (wrong.length > 0) found.push(`keys: ${JSON.stringify(wrong)}`);
  const active = keys.filter(({ state }) => state === 'active').length;
  if (active !== (mode === 'revocation' ? 0 : 1)) found.push(`${active} active keys at the end`);

  const { rows: events } = await client.query<{ action: string }>(
    `SELECT action FROM ledger WHERE tenant_id = $1 AND action !~ '-url$' ORDER BY action`,
    [tenantId],
  );
  const times = (action: string) => Array.from({ length: helped }, () => action);
  const actions = events.map(({ action }) => action).join(' ');
  const expected = [...EVENTS[mode], ...times('rotation.needs-operator'), ...times('rotation.retried')];
  if (actions !== expected.toSorted().join(' ')) found.push(`ledger: ${actions}`);
  return found;
}
