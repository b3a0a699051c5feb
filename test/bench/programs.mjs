// Programs under load, and the one that loads them: processes of their own.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { devNull } from 'node:os';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../dist/libs/embedded/src/index.js';
import { ENCRYPTION_KEYS, STORE } from './world.mjs';

/** As `npm start` has it: the SDK's advice about Node 20 is no output of ours. */
export const QUIET = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

/** Our API as it is built, as production runs it: requests are logged, to a file. `uncoalesced` takes the sharing out of it. */
export function startOurs({ env, log, cleanup, name = 'ours', uncoalesced = false }) {
  const settings = {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    LOG_LEVEL: 'info',
    ENCRYPTION_KEYS,
    // There is no store at the address of the bench's bucket.
    RECONCILE_UPLOADS: 'false',
    ...env,
  };
  // As in the Dockerfile.
  const heap = ['--max-old-space-size=512', '--max-semi-space-size=32', '--no-allocation-site-pretenuring'];
  const execArgv = uncoalesced ? [...heap, '--import', here('uncoalesced.mjs')] : heap;
  return start({ name, script: 'dist/apps/api/src/main.js', env: settings, execArgv, log, cleanup });
}

/** `first`, `bare` or `coalesced`. */
export function startPeer({ name, ownerUrl, identity, cleanup }) {
  const PUBLIC_KEY = identity.publicKey.export({ format: 'pem', type: 'spki' });
  const env = { NODE_ENV: 'production', DATABASE_URL: ownerUrl, PUBLIC_KEY, STORE: JSON.stringify(STORE) };
  return start({ name, script: here(`peers/${name}.mjs`), env, cleanup });
}

async function start({ name, script, env, execArgv = [], log = devNull, cleanup }) {
  const port = await freePort();
  const child = fork(script, {
    env: { PATH: process.env.PATH, ...QUIET, PORT: String(port), ...env },
    execArgv,
    stdio: ['ignore', openSync(log, 'a'), 'inherit', 'ipc'],
  });
  const stop = endOf(child);
  cleanup.add(stop);
  const isReady = await Promise.race([once(child, 'message').then(() => true), once(child, 'close').then(() => false)]);
  if (!isReady) throw new Error(`${name} did not start.`);
  return { name, url: `http://127.0.0.1:${port}`, pid: child.pid, stop };
}

/** Gives `load(slot)`: one slot of load-process.mjs. */
export function startLoad(cleanup) {
  const child = fork(here('load-process.mjs'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  cleanup.add(endOf(child));
  const ended = once(child, 'close').then(() => ({ error: 'the load process ended' }));
  return async (slot) => {
    const answered = once(child, 'message').then(([message]) => message);
    child.send(slot);
    const { result, error } = await Promise.race([answered, ended]);
    if (error) throw new Error(`${slot.name}: ${error}`);
    return result;
  };
}

/** Ends exactly this child, and waits for it. */
export function endOf(child) {
  const closed = once(child, 'close');
  return async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await closed;
    clearTimeout(patience);
  };
}
