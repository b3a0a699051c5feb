// `npm run bench`: how fast are we, beside what others would have built? Every ratio is taken within one run.
import path from 'node:path';
import { say } from './cleanup.mjs';
import { circumstances, writeDocument } from './document.mjs';
import { figuresOf, grouped, markdownOf, markdownTable, tableOf } from './figures.mjs';
import { runProgram } from './run-program.mjs';
import { readOptions } from './options.mjs';
import { startDurablePostgres } from './postgres.mjs';
import { startLoad, startOurs, startPeer } from './programs.mjs';
import { batches, downloads, uploads } from './requests.mjs';
import { measureSigning } from './signing.mjs';
import { ratioOf, runSlots, summarise } from './slots.mjs';
import { makeIdentity, seedWorld } from './world.mjs';

const HELP = `Usage: npm run bench -- [options]

Loads our API as it is built, and three programs that do the same work, in turns; on one durable PostgreSQL that it starts by itself.
Prints one table and writes docs/benchmarks.md. It fails only when a request does: a figure that is missed is a measurement.

  --quick         under a minute; writes nothing
  --only <regex>  these targets only, such as "^downloads" or "ours|bare"; writes nothing
  --rounds <n>    rounds (default 6; with --quick 2)
  --seconds <n>   measured seconds of each slot (default 4; with --quick 0.8)
  --help          this text

Elsewhere: npm run bench:scale, npm run bench:soak.`;

const CONNECTIONS = 64;

/** A batch does the work of a hundred requests; as many of them at once only wait for each other. */
const BATCH_CONNECTIONS = 16;

async function main(cleanup) {
  const options = readOptions(HELP, {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string', isNumber: true },
    seconds: { type: 'string', isNumber: true },
  });
  const { quick } = options;
  const only = new RegExp(options.only ?? '');
  const startedAt = performance.now();

  say('PostgreSQL, and a thousand users …');
  const postgres = await startDurablePostgres(cleanup);
  const { ownerUrl, env } = await postgres.createDatabase('bench');
  const identity = makeIdentity();
  await seedWorld(ownerUrl, identity);

  const all = targetsOf(identity).filter(({ name }) => only.test(name));
  const programs = await startPrograms(all, { ownerUrl, env, identity, dir: postgres.dir, cleanup });
  const targets = all.map((target) => ({ ...target, program: programs.get(target.by) }));
  const pace = quick
    ? { rounds: 2, warmUpSeconds: 0.2, seconds: 0.8, firstWarmUpSeconds: 1 }
    : { rounds: 6, warmUpSeconds: 1, seconds: 4, firstWarmUpSeconds: 4 };
  if (options.rounds) pace.rounds = Number(options.rounds);
  if (options.seconds) pace.seconds = Number(options.seconds);

  say(`${targets.length} targets, ${pace.rounds} rounds of ${pace.seconds} s …`);
  const load = startLoad(cleanup);
  const slots = await runSlots({ targets, load, postgresPid: postgres.pid, ...pace });
  const signing = only.test('signing') ? await measureSigning(quick, cleanup) : null;
  await cleanup.run();

  const figures = figuresOf(slots, signing);
  if (figures.length > 0) process.stdout.write(`\n${tableOf(figures)}\n`);
  if (!quick && !options.only)
    await writeDocument('bench', [
      circumstances(postgres.version),
      `${pace.rounds} rounds, ${pace.seconds} s a slot after a warm-up of ${pace.warmUpSeconds} s.`,
      markdownOf(figures),
      detailsOf(slots),
      signingOf(signing),
    ]);
  say(`${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
}

/** What is loaded, and `by` which program it is answered. */
function targetsOf(identity) {
  const named = (kind, by) => ({ name: `${kind.name}: ${by}`, by, ...kind(identity) });
  return [
    ...['ours', 'bare', 'coalesced', 'first'].map((by) => ({ ...named(downloads, by), connections: CONNECTIONS })),
    ...['ours', 'bare', 'coalesced'].map((by) => ({ ...named(uploads, by), connections: CONNECTIONS })),
    ...['ours', 'bare'].map((by) => ({ ...named(batches, by), connections: BATCH_CONNECTIONS })),
    ...['ours', 'uncoalesced', 'bare'].map((by) => ({ ...named(downloads, by), name: `lone: ${by}`, connections: 1 })),
  ];
}

async function startPrograms(targets, { ownerUrl, env, identity, dir, cleanup }) {
  const names = [...new Set(targets.map(({ by }) => by))];
  const programs = await Promise.all(
    names.map((name) =>
      name === 'ours' || name === 'uncoalesced'
        ? startOurs({ name, env, log: path.join(dir, `${name}.log`), cleanup, uncoalesced: name === 'uncoalesced' })
        : startPeer({ name, ownerUrl, identity, cleanup }),
    ),
  );
  return new Map(programs.map((program) => [program.name, program]));
}

/** Every target, in medians; CPU is for each URL. */
function detailsOf(slots) {
  const headings = ['target', 'URLs/s', '× bare', 'p50 ms', 'p99 ms', 'CPU µs/URL: service', 'PostgreSQL', 'generator'];
  const rows = [...slots].map(([name, rounds]) => {
    const { urlsPerSecond, p50, p99, serviceMicros, postgresMicros, generatorMicros } = summarise(rounds);
    const bare = slots.get(name.replace(/: .*/, ': bare'));
    const ratio = ratioOf(rounds, bare, (slot) => slot.urlsPerSecond);
    const micros = [serviceMicros, postgresMicros, generatorMicros].map((value) => value.toFixed(0));
    return [name, grouped(urlsPerSecond), ratio.toFixed(2), p50.toFixed(2), p99.toFixed(2), ...micros];
  });
  return markdownTable(headings, rows);
}

function signingOf({ rates }) {
  const rows = Object.entries(rates).map(([name, rate]) => [name, grouped(rate), (1e6 / rate).toFixed(1)]);
  return markdownTable(['signing, keys of 1,000 tenants in turn', 'URLs a CPU second', 'µs'], rows);
}

runProgram(main);
