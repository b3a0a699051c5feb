import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Config } from '@countersign/config';
import { Database } from '@countersign/database';
import { CredentialSeal, LeasedRotations, LeaseLost } from '@countersign/signing-keys';
import pg from 'pg';
import { rotationLedger } from '../../apps/api/src/rotations/rotation-ledger.js';
import type { RotationWorker } from '../../apps/api/src/rotations/rotation-worker.js';
import { StartRotation } from '../../apps/api/src/rotations/start-rotation.js';
import { freshDatabase, type FreshDatabase } from '../support/fresh-database.js';
import { cephStore } from './key-stores.js';
import { begin, makeRotatedBucket } from './rotated-bucket.js';

/** Long enough for what a busy machine does within one. */
const LEASE_MS = 2_000;

let fresh: FreshDatabase;
let database: Database;
let client: pg.Pool;
let leased: LeasedRotations;
let seal: CredentialSeal;
beforeAll(async () => {
  fresh = await freshDatabase();
  const config = new Config({ ...process.env, ...fresh.env, NODE_ENV: 'test' });
  database = new Database(config);
  seal = new CredentialSeal(config);
  leased = new LeasedRotations(database, rotationLedger, LEASE_MS);
  client = new pg.Pool({ connectionString: fresh.ownerUrl, max: 1 });
});
afterAll(async () => {
  await client.end();
  await database.onApplicationShutdown();
  await fresh.drop();
});

async function start(): Promise<void> {
  const bucket = await makeRotatedBucket(client, seal, await cephStore());
  const worker = { wake: () => undefined } as unknown as RotationWorker;
  await begin(new StartRotation(database, seal, worker), bucket, 'graceful');
}

it('a lease that has run out is lost at once, though nobody else has taken the rotation yet', async () => {
  // Attack: a worker that was halted wakes up just before the one that takes over reads what it is about to change.
  await start();
  const held = await leased.claim();
  if (!held) throw new Error('nothing was due');
  await leased.renew(held);
  expect(await leased.claim()).toBeNull();
  await sleep(LEASE_MS);

  await expect(leased.renew(held)).rejects.toThrow(LeaseLost);
  await expect(leased.note(held, () => Promise.resolve({ wasAccepted: true }))).rejects.toThrow(LeaseLost);
  await expect(leased.advance(held, 'done')).rejects.toThrow(LeaseLost);
  await expect(leased.pause(held, { forMs: 0, detail: 'later' })).rejects.toThrow(LeaseLost);
  await expect(leased.needOperator(held, 'help')).rejects.toThrow(LeaseLost);
  const next = await leased.claim();
  expect(next).toMatchObject({ id: held.id, step: held.step, steps: held.steps, wasAccepted: false });
  expect(next?.lease).not.toBe(held.lease);
  if (next) await leased.advance(next, 'done');
});

it('of many workers that claim at once, one gets the rotation', async () => {
  await start();
  const longLeased = new LeasedRotations(database, rotationLedger, 60_000);
  const claims = await Promise.all(Array.from({ length: 8 }, () => longLeased.claim()));
  expect(claims.filter((claim) => claim !== null)).toHaveLength(1);
});
