// `npm run prove`: every promise attacked, at full length, and what came of it as one table.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { machine, writeDocument } from '../bench/document.mjs';
import { readOptions } from '../bench/options.mjs';
import { table, textTable } from './prove/tables.mjs';

const HELP = `Usage: npm run prove -- [options]

Attacks every promise of SECURITY.md, on a PostgreSQL and a store that it starts by itself; under twenty minutes on two cores.
Prints one table of promise, attack, cases and figure, and writes docs/proofs.md. It fails where a promise does not hold.

  --short         what \`npm test\` does, in about two minutes; writes nothing
  --only <regex>  these files of test/proof/ only, such as "fuzz|roles"; writes nothing
  --help          this text

PROOF_SEED=<seed> and PROOF_PATH=<path>, as a failed fuzz printed them, shoot the same again.`;

async function main() {
  const { short, only } = readOptions(HELP, { short: { type: 'boolean', default: false }, only: { type: 'string' } });
  const startedAt = performance.now();
  const dir = mkdtempSync(path.join(os.tmpdir(), 'countersign-proofs-'));
  try {
    const isProven = await attack(dir, short ? 'short' : 'full', only ?? '');
    const proofs = readRecords(dir);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    process.stdout.write(`\n${textTable(proofs)}\n\n`);
    process.stdout.write(
      `${proofs.length} promises held in ${seconds} s${isProven ? '' : ', and NOT ALL: see the failures above'}.\n`,
    );
    if (isProven && !short && !only)
      await writeDocument('proofs', [`${machine()}. ${seconds} s in all.`, table(proofs)], 'docs/proofs.md');
    process.exitCode = isProven ? 0 : 1;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Jest says on stderr how far it is. */
function attack(dir, scale, only) {
  const jest = [
    'node_modules/jest/bin/jest.js',
    '--testPathPatterns',
    `test/proof/.*(${only}).*\\.spec`,
    '--runInBand',
    '--testTimeout=300000',
  ];
  const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', ...jest];
  const env = { ...process.env, PROOF_SCALE: scale, PROOF_RECORDS: dir };
  const child = spawn(process.execPath, node, { stdio: ['ignore', 'inherit', 'inherit'], env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code === 0));
  });
}

function readRecords(dir) {
  const proofs = readdirSync(dir).map((file) => JSON.parse(readFileSync(path.join(dir, file), 'utf8')));
  return proofs.sort((a, b) => a.promise.localeCompare(b.promise, 'en'));
}

await main();
