import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Config } from '@countersign/config';
import { Database } from '@countersign/database';
import { DueUploads, UPLOAD_TIMES } from '@countersign/uploads';
import { freshDatabase, type FreshDatabase } from '../support/fresh-database.js';
import { putUploadRow } from './upload-rows.js';

const LEASE_MS = 2_000;
const DAY = 86_400;

let fresh: FreshDatabase;
let database: Database;
let due: DueUploads;
beforeAll(async () => {
  fresh = await freshDatabase();
  database = new Database(new Config({ ...process.env, ...fresh.env, NODE_ENV: 'test' }));
  due = new DueUploads(database, { ...UPLOAD_TIMES, leaseMs: LEASE_MS });
});
afterEach(() => fresh.query('DELETE FROM uploads'));
afterAll(async () => {
  await database.onApplicationShutdown();
  await fresh.drop();
});

const ids = async (claim: Promise<{ id: string }[]>) => (await claim).map(({ id }) => id);
const left = async () => (await fresh.query<{ id: string }>('SELECT id FROM uploads')).map(({ id }) => id);

describe('a claim', () => {
  it('takes what is due, the longest due first, and nothing that is not', async () => {
    const second = await putUploadRow(fresh, { dueIn: -10 });
    const first = await putUploadRow(fresh, { dueIn: -20 });
    await putUploadRow(fresh, { dueIn: 60 });
    expect(await ids(due.claim(8, 2, []))).toEqual([first, second]);
    expect(await ids(due.claim(8, 2, []))).toEqual([]);
  });

  it('takes no more than it is asked for', async () => {
    for (let n = 0; n < 5; n++) await putUploadRow(fresh);
    expect(await due.claim(3, 2, [])).toHaveLength(3);
    expect(await due.claim(3, 2, [])).toHaveLength(2);
  });

  it('of one bucket takes two, however many are due before those of others', async () => {
    // Attack: a tenant lets ten thousand uploads expire in a bucket whose store never answers, and nobody else's are looked at any more.
    const bucketId = randomUUID();
    for (let n = 0; n < 150; n++) await putUploadRow(fresh, { bucketId, dueIn: -DAY - n });
    const other = await putUploadRow(fresh);

    const first = await due.claim(8, 2, []);
    expect(first.map((upload) => upload.bucketId)).toEqual([bucketId, bucketId]);
    expect(await ids(due.claim(6, 2, [bucketId, bucketId]))).toEqual([other]);
    expect(await due.claim(6, 2, [bucketId])).toHaveLength(1);
  });

  it('of two at once, each upload goes to one of them', async () => {
    const rows = await Promise.all(Array.from({ length: 40 }, () => putUploadRow(fresh)));
    // A busy machine must not outlast a lease here.
    const held = new DueUploads(database, { ...UPLOAD_TIMES, leaseMs: 600_000 });
    const claims = await Promise.all(Array.from({ length: 8 }, () => ids(held.claim(5, 2, []))));
    const taken = claims.flat();
    expect(new Set(taken).size).toBe(taken.length);
    for (let more; (more = await ids(held.claim(40, 2, []))).length > 0;) taken.push(...more);
    expect(taken.toSorted()).toEqual(rows.toSorted());
  });

  it('takes up what a dead worker held once its lease has run out', async () => {
    const id = await putUploadRow(fresh);
    expect(await ids(due.claim(8, 2, []))).toEqual([id]);
    expect(await ids(due.claim(8, 2, []))).toEqual([]);
    await sleep(LEASE_MS + 50);
    expect(await ids(due.claim(8, 2, []))).toEqual([id]);
  });
});

describe('what has been over for long enough', () => {
  it('is forgotten, and nothing else is', async () => {
    const over = { dueIn: -1, finishedIn: -31 * DAY, expiresIn: -32 * DAY };
    await putUploadRow(fresh, { ...over, state: 'verified' });
    for (const state of ['rejected', 'expired', 'aborted']) await putUploadRow(fresh, { ...over, state, looks: 1 });
    const kept = [
      // Not long enough,
      await putUploadRow(fresh, { ...over, state: 'verified', finishedIn: -29 * DAY, dueIn: DAY }),
      // not over,
      await putUploadRow(fresh, { expiresIn: -32 * DAY, dueIn: -1 }),
      // its object still to be removed,
      await putUploadRow(fresh, { ...over, state: 'rejected', looks: 0 }),
      // a last look still to be taken, since nobody was there,
      await putUploadRow(fresh, { ...over, state: 'expired', looks: 1, dueIn: -31.5 * DAY }),
      // or since the store did not answer.
      await putUploadRow(fresh, { ...over, state: 'aborted', looks: 1, attempts: 3 }),
    ];
    expect(await due.removeOver()).toBe(4);
    expect((await left()).toSorted()).toEqual(kept.toSorted());
    expect(await due.removeOver()).toBe(0);
  });
});
