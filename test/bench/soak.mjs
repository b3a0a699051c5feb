// `npm run bench:soak`: ten minutes of the load, and what the service holds in memory meanwhile.
import { devNull } from 'node:os';
import { say } from './cleanup.mjs';
import { residentBytesOf } from './cpu.mjs';
import { circumstances, writeDocument } from './document.mjs';
import { grouped, markdownOf, tableOf } from './figures.mjs';
import { runProgram } from './run-program.mjs';
import { readOptions } from './options.mjs';
import { startDurablePostgres } from './postgres.mjs';
import { startLoad, startOurs } from './programs.mjs';
import { batches, downloads, uploads } from './requests.mjs';
import { slope } from './statistics.mjs';
import { makeIdentity, seedWorld } from './world.mjs';

const HELP = `Usage: npm run bench:soak -- [options]

Loads our API as it is built: downloads, uploads and batches of a hundred in turn. Samples its resident memory every second, prints what
was found and writes docs/benchmarks.md. It fails only when a request does.

  --minutes <n>  how long (default 10; with less than 10, nothing is written)
  --help         this text`;

/** Memory that is held, in MB of 2^20 bytes. */
const MAX_RESIDENT_MB = 250;

/** A collector's heap goes up and down: what a line through ten minutes of it may rise and still be called level. */
const MAX_GROWTH_MB = 10;

const TURNS = [
  { kind: downloads, connections: 64, seconds: 10 },
  { kind: uploads, connections: 64, seconds: 10 },
  { kind: batches, connections: 16, seconds: 2 },
];

async function main(cleanup) {
  const { minutes } = readOptions(HELP, { minutes: { type: 'string', default: '10', isNumber: true } });
  say('PostgreSQL, and a thousand users …');
  const postgres = await startDurablePostgres(cleanup);
  const { ownerUrl, env } = await postgres.createDatabase('soak');
  const identity = makeIdentity();
  await seedWorld(ownerUrl, identity);
  const ours = await startOurs({ env, log: devNull, cleanup });
  const load = startLoad(cleanup);

  const { samples, urls } = await soak({ ours, load, identity, minutes: Number(minutes) });
  await cleanup.run();
  const figures = figuresOf(samples);
  const course = `${grouped(urls)} URLs in ${minutes} minutes. Resident, MB, by minute: ${byMinute(samples).join(', ')}.`;
  process.stdout.write(`\n${tableOf(figures)}\n${course}\n`);
  if (Number(minutes) >= 10)
    await writeDocument('soak', [circumstances(postgres.version), markdownOf(figures), course]);
}

/** @returns { samples: [{ x: minutes, y: MB }], urls } */
async function soak({ ours, load, identity, minutes }) {
  const turns = TURNS.map(({ kind, ...turn }) => ({ name: kind.name, url: ours.url, ...kind(identity), ...turn }));
  const startedAt = performance.now();
  const elapsed = () => (performance.now() - startedAt) / 60_000;
  const samples = [];
  const sampler = setInterval(() => samples.push({ x: elapsed(), y: residentBytesOf(ours.pid) / 2 ** 20 }), 1_000);
  let urls = 0;
  try {
    for (let turn = 0; elapsed() < minutes; turn++) {
      const slot = turns[turn % turns.length];
      const { requests } = await load(slot);
      urls += requests * slot.expected.signatures;
      if (turn % turns.length === 0)
        say(`  ${elapsed().toFixed(1)} min  ${samples.at(-1)?.y.toFixed(0)} MB  ${grouped(urls)} URLs`);
    }
  } finally {
    clearInterval(sampler);
  }
  return { samples, urls };
}

/** The first fifth is warm-up: code is compiled, connections and caches fill. */
function figuresOf(samples) {
  const end = samples.at(-1).x;
  const settled = samples.filter(({ x }) => x > end / 5);
  const peak = Math.max(...samples.map(({ y }) => y));
  const growth = slope(settled) * 10;
  return [
    {
      what: 'ours, resident at most',
      required: `< ${MAX_RESIDENT_MB} MB`,
      measured: `${peak.toFixed(0)} MB`,
      isReached: peak < MAX_RESIDENT_MB,
    },
    {
      what: 'ours, growth in ten minutes (a line through the samples after the warm-up)',
      required: `none (< ${MAX_GROWTH_MB} MB)`,
      measured: `${growth.toFixed(1)} MB`,
      isReached: growth < MAX_GROWTH_MB,
    },
  ];
}

/** The most that was held in each minute. */
function byMinute(samples) {
  const most = [];
  for (const { x, y } of samples) most[Math.floor(x)] = Math.max(most[Math.floor(x)] ?? 0, y);
  return most.map((megabytes) => megabytes.toFixed(0));
}

runProgram(main);
