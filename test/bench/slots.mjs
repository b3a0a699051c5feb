// Interleaved slots: in every round each target gets the same load for the same time, the order turning from round to round, so that what
// else goes on in the machine hits all of them alike. A ratio is taken within a round; the figure is the median of the rounds' ratios.
import { say } from './cleanup.mjs';
import { cpuSecondsOf } from './cpu.mjs';
import { median } from './statistics.mjs';

/** @param targets [{ name, program: { url, pid }, requests, expected, connections, lone? }] @returns a Map: name -> a slot's figures a round */
export async function runSlots({ targets, load, postgresPid, rounds, warmUpSeconds, seconds, firstWarmUpSeconds }) {
  const results = new Map(targets.map(({ name }) => [name, []]));
  for (const target of targets) await load(slotOf(target, firstWarmUpSeconds));
  for (let round = 0; round < rounds; round++)
    for (let n = 0; n < targets.length; n++) {
      const target = targets[(n + round) % targets.length];
      await load(slotOf(target, warmUpSeconds));
      const figures = await measure(target, load, postgresPid, seconds);
      results.get(target.name).push(figures);
      say(`  round ${round + 1}  ${target.name.padEnd(24)} ${describe(figures)}`);
    }
  return results;
}

async function measure(target, load, postgresPid, seconds) {
  const before = { service: cpuSecondsOf(target.program.pid), postgres: cpuSecondsOf(postgresPid) };
  const result = await load(slotOf(target, seconds));
  if (result.requests === 0) throw new Error(`${target.name}: no answer at all`);
  const urls = result.requests * target.expected.signatures;
  return {
    urlsPerSecond: urls / result.seconds,
    p50: result.p50,
    p99: result.p99,
    serviceMicros: ((cpuSecondsOf(target.program.pid) - before.service) / urls) * 1e6,
    postgresMicros: ((cpuSecondsOf(postgresPid) - before.postgres) / urls) * 1e6,
    generatorMicros: (result.generatorSeconds / urls) * 1e6,
  };
}

const slotOf = ({ name, program, requests, expected, connections }, seconds) => ({
  name,
  url: program.url,
  requests,
  expected,
  connections,
  seconds,
});

/** The median of each figure over the rounds. */
export function summarise(slots) {
  const names = Object.keys(slots[0]);
  return Object.fromEntries(names.map((name) => [name, median(slots.map((slot) => slot[name]))]));
}

/** The median of the rounds' own ratios. */
export function ratioOf(slots, others, figure) {
  return median(slots.map((slot, round) => figure(slot) / figure(others[round])));
}

const describe = ({ urlsPerSecond, p50, p99, serviceMicros, postgresMicros }) =>
  `${urlsPerSecond.toFixed(0).padStart(6)} URLs/s  p50 ${p50.toFixed(2)}  p99 ${p99.toFixed(2)} ms  CPU µs/URL ${serviceMicros.toFixed(0)} + ${postgresMicros.toFixed(0)}`;
