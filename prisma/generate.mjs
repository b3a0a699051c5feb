// Runs after `npm install`: makes the database client that the program imports. Silent when all is well. Where npm left the
// development tools out (`npm ci --omit=dev`) there is nothing to make the client with: it comes with the built program then.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const cli = findPrismaCli();
if (cli !== undefined) generate(cli);

function findPrismaCli() {
  try {
    return createRequire(import.meta.url).resolve('prisma/build/index.js');
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

function generate(cli) {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [cli, 'generate', '--no-hints'], {
    cwd: new URL('..', import.meta.url),
    encoding: 'utf8',
    env: { ...process.env, CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' },
  });
  if (status === 0) return;
  process.stderr.write(`prisma generate failed (${signal ?? `exit code ${status}`}):\n${stdout}${stderr}`);
  process.exitCode = 1;
}
