// `npm run bench:scale`: what a URL costs where there are many grants, or a long ledger, beside what it costs where there is little.
import { devNull } from 'node:os';
import { say } from './cleanup.mjs';
import { circumstances, writeDocument } from './document.mjs';
import { grouped, markdownOf, markdownTable, tableOf } from './figures.mjs';
import { fillLedger } from './fill-ledger.mjs';
import { runProgram } from './run-program.mjs';
import { readOptions } from './options.mjs';
import { startDurablePostgres } from './postgres.mjs';
import { startLoad, startOurs } from './programs.mjs';
import { downloads } from './requests.mjs';
import { ratioOf, runSlots, summarise } from './slots.mjs';
import { GRANTS_PER_USER, makeIdentity, seedWorld, subjectOf, USERS } from './world.mjs';

const HELP = `Usage: npm run bench:scale -- [options]

One PostgreSQL with a database for each size, one process of our API for each, loaded in turns: 1,000, 100,000 and 5,000,000 grants, and
10,000,000 rows in the ledger. Prints one table and writes docs/benchmarks.md. Takes about ten minutes, and 10 GB of disk for as long.

  --share <x>    this share of the grants and rows, such as 0.01, for a try; writes nothing
  --rounds <n>   rounds (default 6)
  --seconds <n>  measured seconds of each slot (default 4)
  --help         this text`;

/** The dearest may cost this many times the cheapest. */
const MAX_SPREAD = 1.2;

const SIZES = [
  { name: '1,000 grants', database: 'thousand', grants: 1_000, rows: 0 },
  { name: '100,000 grants', database: 'hundred_thousand', grants: 100_000, rows: 0 },
  { name: '5,000,000 grants', database: 'five_million', grants: 5_000_000, rows: 0 },
  { name: '10,000,000 ledger rows', database: 'long_ledger', grants: 1_000, rows: 10_000_000 },
];

async function main(cleanup) {
  const number = { type: 'string', isNumber: true };
  const options = readOptions(HELP, {
    share: { ...number, default: '1' },
    rounds: { ...number, default: '6' },
    seconds: { ...number, default: '4' },
  });
  const share = Number(options.share);
  say('PostgreSQL …');
  const postgres = await startDurablePostgres(cleanup);
  const targets = [];
  for (const { name, database, grants, rows } of SIZES) {
    say(`${name} …`);
    const { ownerUrl, env } = await postgres.createDatabase(database);
    const wanted = Math.max(1_000, grants * share);
    const identity = makeIdentity({ subjects: subjectsAmong(wanted) });
    await seedWorld(ownerUrl, identity, { grants: wanted });
    await fillLedger(ownerUrl, identity.tenantId, rows * share);
    const program = await startOurs({ name, env, log: devNull, cleanup });
    targets.push({ name, program, connections: 64, ...downloads(identity) });
  }

  const slots = await runSlots({
    targets,
    load: startLoad(cleanup),
    postgresPid: postgres.pid,
    rounds: Number(options.rounds),
    seconds: Number(options.seconds),
    warmUpSeconds: 1.5,
    firstWarmUpSeconds: 6,
  });
  await cleanup.run();

  const figures = [spreadOf(slots)];
  process.stdout.write(`\n${tableOf(figures)}\n`);
  if (share === 1)
    await writeDocument('scale', [circumstances(postgres.version), markdownOf(figures), detailsOf(slots)]);
}

/** The users who ask are spread over all who have grants, so that what they need lies everywhere in the index. */
function subjectsAmong(grants) {
  const users = Math.floor(grants / GRANTS_PER_USER);
  return Array.from({ length: USERS }, (_, n) => subjectOf(Math.floor((n * users) / USERS)));
}

const costOf = ({ serviceMicros, postgresMicros }) => serviceMicros + postgresMicros;

/** Each size beside the smallest one, as the median of the rounds' ratios. */
function ratios(slots) {
  const [base] = slots.values();
  return new Map([...slots].map(([name, rounds]) => [name, ratioOf(rounds, base, costOf)]));
}

function spreadOf(slots) {
  const found = [...ratios(slots).values()];
  const spread = Math.max(...found) / Math.min(...found);
  return {
    what: 'ours, CPU for each URL (service + PostgreSQL): the dearest size beside the cheapest',
    required: `≤ ${MAX_SPREAD.toFixed(2)} ×`,
    measured: `${spread.toFixed(2)} ×`,
    isReached: spread <= MAX_SPREAD,
  };
}

function detailsOf(slots) {
  const found = ratios(slots);
  const rows = [...slots].map(([name, rounds]) => {
    const { serviceMicros, postgresMicros, urlsPerSecond, p99 } = summarise(rounds);
    const cost = [serviceMicros, postgresMicros].map((micros) => micros.toFixed(0));
    return [name, ...cost, found.get(name).toFixed(2), grouped(urlsPerSecond), p99.toFixed(1)];
  });
  const headings = ['size', 'CPU µs/URL: service', 'PostgreSQL', '× the smallest', 'URLs/s', 'p99 ms'];
  return markdownTable(headings, rows);
}

runProgram(main);
