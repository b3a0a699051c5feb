// The figures that must be reached, as they were measured.
import { median } from './statistics.mjs';
import { ratioOf, summarise } from './slots.mjs';

/** @returns [{ what, required, measured, isReached }]; a figure whose slots were left out is left out. */
export function figuresOf(slots, signing) {
  return [
    ...['downloads', 'uploads'].flatMap((kind) => [
      atLeast(slots, `${kind}: ours`, `${kind}: bare`, 1.2),
      atLeast(slots, `${kind}: ours`, `${kind}: coalesced`, 0.75),
      ninetyNinth(slots, `${kind}: ours`, 30),
    ]),
    atLeast(slots, 'batches: ours', 'batches: bare', 0.75),
    loneRequest(slots, 1),
    ...signingFigures(signing, 25_000),
  ].filter((figure) => figure !== null);
}

function atLeast(slots, name, base, required) {
  const [mine, theirs] = [slots.get(name), slots.get(base)];
  if (!mine || !theirs) return null;
  const ratio = ratioOf(mine, theirs, ({ urlsPerSecond }) => urlsPerSecond);
  const byCpu = 1 / ratioOf(mine, theirs, ({ serviceMicros, postgresMicros }) => serviceMicros + postgresMicros);
  return {
    what: `${name}, URLs a second beside ${base.replace(/^.*: /, '')}`,
    required: `≥ ${required.toFixed(2)} ×`,
    measured: `${ratio.toFixed(2)} × (by CPU ${byCpu.toFixed(2)} ×)`,
    isReached: ratio >= required,
  };
}

function ninetyNinth(slots, name, milliseconds) {
  if (!slots.has(name)) return null;
  const { p99 } = summarise(slots.get(name));
  return {
    what: `${name}, p99`,
    required: `< ${milliseconds} ms`,
    measured: `${p99.toFixed(1)} ms`,
    isReached: p99 < milliseconds,
  };
}

function loneRequest(slots, milliseconds) {
  const [mine, alone] = [slots.get('lone: ours'), slots.get('lone: uncoalesced')];
  if (!mine || !alone) return null;
  const later = median(mine.map(({ p50 }, round) => p50 - alone[round].p50));
  return {
    what: 'lone: ours, p50 beyond the uncoalesced path’s',
    required: `≤ ${milliseconds.toFixed(2)} ms`,
    measured: `${later.toFixed(2)} ms (${summarise(mine).p50.toFixed(2)} against ${summarise(alone).p50.toFixed(2)})`,
    isReached: later <= milliseconds,
  };
}

function signingFigures(signing, required) {
  if (!signing) return [];
  const { rates, compared, different } = signing;
  const rateFigures = Object.keys(rates)
    .filter((name) => name.startsWith('ours'))
    .map((name) => ({
      what: `signing: ${name}, keys of 1,000 tenants, one core`,
      required: `≥ ${grouped(required)}/s`,
      measured: `${grouped(rates[name])}/s`,
      isReached: rates[name] >= required,
    }));
  const same = { what: 'signing: byte for byte as getSignedUrl', required: 'all', isReached: different === 0 };
  return [...rateFigures, { ...same, measured: `${compared - different} of ${compared}` }];
}

export const grouped = (number) => Math.round(number).toLocaleString('en-US');

const HEADINGS = ['figure', 'required', 'measured', 'verdict'];
const toCells = ({ what, required, measured, isReached }) => [
  what,
  required,
  measured,
  isReached ? 'reached' : 'NOT reached',
];

/** For a screen. */
export function tableOf(figures) {
  const rows = [HEADINGS, ...figures.map(toCells)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
  return [lines[0], widths.map((width) => '-'.repeat(width)).join('  '), ...lines.slice(1), ''].join('\n');
}

/** For a document. */
export const markdownOf = (figures) => markdownTable(HEADINGS, figures.map(toCells));

export function markdownTable(headings, rows) {
  return [headings, headings.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
