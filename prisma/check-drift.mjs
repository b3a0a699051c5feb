// Do the migrations make the tables that schema.prisma describes? Exit code 0: yes. 2: no. 1: the check itself failed.
//
//   node prisma/check-drift.mjs [SCHEMA] [MIGRATIONS]
//
// The comparison replays the migrations in a shadow database on the server of DATABASE_URL, or on an embedded one that lives
// for the check. It is proven each time by a control: a schema with one field more must differ.
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const schema = path.resolve(process.argv[2] ?? path.join(root, 'prisma/schema.prisma'));
const migrations = path.resolve(process.argv[3] ?? path.join(root, 'prisma/migrations'));
const EQUAL = 0;
const DRIFT = 2;

const workDir = mkdtempSync(path.join(tmpdir(), 'countersign-drift-'));
let server;
try {
  server = process.env.DATABASE_URL ? undefined : await startEmbedded();
  const url = process.env.DATABASE_URL || server.urlFor('postgres');
  process.exitCode = check(url);
} catch (error) {
  process.stderr.write(`The drift check failed: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  await server?.stop();
  rmSync(workDir, { recursive: true, force: true });
}

function check(url) {
  const control = path.join(workDir, 'control.prisma');
  writeFileSync(control, withOneMoreField(readFileSync(schema, 'utf8')));

  const result = compare(url, schema);
  // The control comes second, and its failure wins: an engine that sees no difference anywhere has proven nothing.
  if (compare(url, control).exitCode !== DRIFT) throw new Error('it does not see a field that no migration makes');

  process.stdout.write(
    result.exitCode === EQUAL
      ? 'No drift: the migrations make what schema.prisma describes.\n'
      : `Drift: the migrations do not make what schema.prisma describes. From them to it:\n${result.output}\n`,
  );
  return result.exitCode;
}

function compare(url, toSchema) {
  const cli = createRequire(import.meta.url).resolve('prisma/build/index.js');
  const args = ['migrate', 'diff', '--from-migrations', migrations, '--to-schema', toSchema, '--exit-code'];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, DATABASE_URL: url, CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' },
  });
  // An engine that dies early can leave the CLI with exit code 0, but never with these words.
  const saysEqual = stdout.includes('No difference detected');
  const isAnswer = (status === EQUAL && saysEqual) || (status === DRIFT && !saysEqual);
  if (!isAnswer) throw new Error(`prisma migrate diff gave ${signal ?? `exit code ${status}`}\n${stdout}${stderr}`);
  return { exitCode: status, output: stdout.trim() };
}

function withOneMoreField(schemaText) {
  const changed = schemaText.replace(/^model \w+ \{$/m, '$&\n  driftControl String? @map("drift_control")');
  if (changed === schemaText) throw new Error(`there is no model in ${schema}`);
  return changed;
}

async function startEmbedded() {
  const built = new URL('../dist/libs/embedded/src/index.js', import.meta.url);
  if (!existsSync(built)) throw new Error('set DATABASE_URL, or run `npm run build` first for an embedded PostgreSQL');
  const { startPostgres } = await import(built.href);
  // A server started by root runs as another user, who must be able to pass through to its data.
  chmodSync(workDir, 0o711);
  const settings = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];
  return startPostgres({ dir: path.join(workDir, 'postgres'), password: randomUUID(), settings });
}
