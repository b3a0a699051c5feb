// Builds what is not built yet: `npm start` and `npm test` need not wait for what has not changed. Plain JavaScript, since it runs before
// anything is built.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const STAMP = 'dist/.built';
const SOURCES = [
  'apps',
  'libs',
  'prisma/seed.ts',
  'package.json',
  'nest-cli.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

/** A package of its own, with a build of its own. */
const NOT_OURS = path.join('libs', 'client');

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
if (isNewerThan('prisma/schema.prisma', 'libs/database/src/generated/client.ts'))
  run('Prisma client', [path.join('prisma', 'generate.mjs')]);
if (isStale()) {
  const startedAt = new Date();
  rmSync('dist', { recursive: true, force: true });
  run('build', [path.join('node_modules', '@nestjs', 'cli', 'bin', 'nest.js'), 'build']);
  writeFileSync(STAMP, '');
  // What was saved while the build ran may not be in it.
  utimesSync(STAMP, startedAt, startedAt);
}

/** Pulled since `npm ci`, say. */
function isNewerThan(source, generated) {
  return !existsSync(generated) || statSync(source).mtimeMs > statSync(generated).mtimeMs;
}

function isStale() {
  if (!existsSync(STAMP)) return true;
  const builtAt = statSync(STAMP).mtimeMs;
  const isNewer = (file) => {
    if (file === NOT_OURS) return false;
    const status = statSync(file);
    return (
      status.mtimeMs > builtAt ||
      (status.isDirectory() && readdirSync(file).some((name) => isNewer(path.join(file, name))))
    );
  };
  return SOURCES.some(isNewer);
}

function run(what, args) {
  process.stdout.write(`  ${what} …\n`);
  const { status, stdout } = spawnSync(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status === 0) return;
  process.stderr.write(`${stdout}\n  The ${what} failed: see above. "npm ci" installs what it needs.\n`);
  process.exit(1);
}
