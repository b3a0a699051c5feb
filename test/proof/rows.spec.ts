import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startBuiltApi } from '../support/built-program.js';
import type { FreshDatabase } from '../support/fresh-database.js';
import { install, type Installation, type Tenant } from '../support/installation.js';
import { openDatabaseDoor } from '../uploads/database-door.js';
import { addressOf, Crowd } from './load/crowd.js';
import { DurablePostgres } from './load/durable-postgres.js';
import { issuancesOf, NO_STORE } from './load/issuances.js';
import { environmentOf, platformDatabase } from './load/platform.js';
import { ReceivedUrls } from './load/received-urls.js';
import { proof } from './record.js';
import { scale } from './scale.js';

const PROMISE = 'No URL without its row in the ledger, committed first';

const killedDatabase = proof(
  `${PROMISE}: PostgreSQL killed`,
  'SIGKILL to all of a durable PostgreSQL, or to one of its backends, at random under load; then every URL in every byte that a client received is looked up',
  'append_to_ledger with synchronous_commit off',
);
const killedService = proof(
  `${PROMISE}: the service killed`,
  'SIGKILL to the built service at random under load; half answers count',
  'Ledger.record gives its receipts, and appends 20 ms later',
);
const cutConnections = proof(
  `${PROMISE}: connections cut around COMMIT`,
  'a TCP proxy that loses an append before it gets to PostgreSQL, or its answer after it was committed, under load, one in three',
  'an append whose answer was lost is taken for one that was committed',
);
const fullDisk = proof(
  `${PROMISE}: the disk full`,
  'no file of PostgreSQL may grow: first the ledger’s table, then the write-ahead log, under load',
  'an append that PostgreSQL refused is taken for one that was committed',
);

/** Kills and cuts in a row; the disk fills up more seldom. */
const ROUNDS = scale({ short: 2, full: 50 });
const CUTS = scale({ short: 20, full: 500 });
const FULL_DISKS = scale({ short: 1, full: 5 });

/** Attack: whatever holds the record dies at the worst moment, and there is a URL that nobody knows of. */
describe('Every URL that a client received is on record', () => {
  let postgres: DurablePostgres;
  let database: FreshDatabase;
  let installation: Installation;
  let tenant: Tenant;
  let received: ReceivedUrls;

  beforeAll(async () => {
    postgres = await DurablePostgres.start();
    database = await platformDatabase(postgres.url);
    installation = await install(database.env);
    tenant = await installation.createTenant(NO_STORE);
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
  }, 180_000);
  afterAll(async () => {
    await installation.close();
    await postgres.close();
  });

  beforeEach(() => {
    received = new ReceivedUrls();
  });
  let crowd: Crowd | undefined;
  afterEach(() => crowd?.stop());

  const ask = (to: () => string): Crowd =>
    (crowd = new Crowd({ lanes: 24, to, next: issuancesOf(tenant), hear: ({ text }) => received.add(text) }));
  /** Under load, at no moment in particular. */
  const aMoment = async (crowd: Crowd): Promise<void> => {
    await crowd.hears(30, 201);
    await sleep(Math.random() * 200);
  };
  /** Gives the figure. */
  const expectNoneMissing = async (): Promise<string> => {
    await crowd?.stop();
    expect(received.count).toBeGreaterThan(0);
    expect(await received.missing(database)).toEqual([]);
    return `0 missing of ${received.count.toLocaleString('en')} URLs`;
  };

  it('though PostgreSQL was killed', async () => {
    const crowd = ask(() => addressOf(installation));
    for (let round = 0; round < ROUNDS; round++) {
      await aMoment(crowd);
      if (round % 3 === 1) await postgres.killBackend();
      else {
        await postgres.kill();
        await crowd.hears(1, 503);
        await postgres.startAgain();
      }
    }
    await crowd.hears(30, 201);

    killedDatabase.record({ cases: ROUNDS, figure: await expectNoneMissing() });
  }, 600_000);

  it('though the service was killed', async () => {
    const start = () => startBuiltApi(environmentOf(database));
    let api = await start();
    const crowd = ask(() => api.url);
    try {
      for (let round = 0; round < ROUNDS; round++) {
        await aMoment(crowd);
        await api.kill();
        // On two cores a crowd that asks nobody would keep the next one from starting.
        api = await crowd.restDuring(start);
      }
      await crowd.hears(30, 201);
      expect(crowd.count(null)).toBeGreaterThan(0);

      killedService.record({ cases: ROUNDS, figure: await expectNoneMissing() });
    } finally {
      await crowd.stop();
      await api.kill();
    }
  }, 600_000);

  /** A limit that needs no privilege is made by `prlimit`, which only Linux has. */
  const onLinux = process.platform === 'linux' ? it : it.skip;

  onLinux(
    'though the disk was full',
    async () => {
      const crowd = ask(() => addressOf(installation));
      await growLedger(database);
      for (let round = 0; round < FULL_DISKS; round++) {
        await aMoment(crowd);
        await postgres.limitFiles(await fullLedger(database));
        await crowd.hears(50, 503, 5_000);
        await postgres.limitFiles(null);
        // It recovers by itself, as soon as there is room.
        await aMoment(crowd);
        // A PostgreSQL that cannot write its log ends itself, and does not come back until there is room.
        await postgres.limitFiles(8_192);
        await crowd.hears(50, 503);
        await postgres.startAgain();
      }
      await crowd.hears(30, 201);

      fullDisk.record({ cases: 2 * FULL_DISKS, figure: await expectNoneMissing() });
    },
    300_000,
  );

  // The last one: Passport knows one strategy a process, so once the replica is gone nobody can say who asks `installation`.
  it('though connections were cut before an append arrived, and after it was committed', async () => {
    const cuts = { before: 0, after: 0 };
    const door = await openDatabaseDoor(database.ownerUrl, ({ when }) => {
      const isCut = Math.random() < 1 / 6;
      if (isCut) cuts[when]++;
      return Promise.resolve(!isCut);
    });
    const byDoor = Object.entries(database.env).map(([name, url]) => [name, url.replace(/@[^/]+/, `@${door.address}`)]);
    const replica = await install(Object.fromEntries(byDoor) as NodeJS.ProcessEnv);
    const crowd = ask(() => addressOf(replica));
    try {
      while (Math.min(cuts.before, cuts.after) < CUTS / 2) await crowd.hears(5, 201);

      const figure = await expectNoneMissing();
      expect(crowd.count(503)).toBeGreaterThan(0);
      cutConnections.record({ cases: cuts.before + cuts.after, figure });
    } finally {
      await crowd.stop();
      await replica.close();
      await door.close();
    }
  }, 300_000);
});

/** A segment of the write-ahead log. A file of the ledger must be larger, or a limit for it would be one for the log too. */
const SEGMENT_BYTES = 16 * 1024 ** 2;

/** Rows that say nothing, of nearly a page each. */
async function growLedger(database: FreshDatabase): Promise<void> {
  await database.query(
    `INSERT INTO ledger (at, id, tenant_id, subject, action, decision, user_agent, request_id)
     SELECT now(), gen_random_uuid(), t.id, 'filler', 'filler', 'refused', r.text, 'filler'
       FROM (SELECT id FROM tenants LIMIT 1) AS t, generate_series(1, 9000) AS n,
            LATERAL (SELECT left(string_agg(md5(random()::text || n || i), ''), 1900) AS text FROM generate_series(1, 60) AS i) AS r`,
  );
}

/** The size of the ledger's file as it is: with this as the limit, it grows no more. */
async function fullLedger(database: FreshDatabase): Promise<number> {
  const [row] = await database.query<{ size: string }>(
    `SELECT max(pg_relation_size(inhrelid)) AS size FROM pg_inherits WHERE inhparent = 'ledger'::regclass`,
  );
  const size = Number(row?.size);
  expect(size).toBeGreaterThan(SEGMENT_BYTES);
  return size;
}
