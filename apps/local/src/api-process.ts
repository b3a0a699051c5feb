import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { removeFile, writePrivate } from './place.js';

const ENTRY = fileURLToPath(new URL('../../api/src/main.js', import.meta.url));
const PID_FILE = 'api.pid';

/** As in the Dockerfile, which says why. */
const HEAP = ['--max-old-space-size=512', '--max-semi-space-size=32', '--no-allocation-site-pretenuring'];

/** Longer than any request of ours takes. */
const DRAIN_MS = 15_000;

export interface ApiProcess {
  /** Resolves once the API has ended, whoever ended it. */
  ended: Promise<string>;
  stop(): Promise<void>;
}

/** Starts the API as a process of its own, with this environment and no other, and waits until it listens. */
export async function startApi(env: NodeJS.ProcessEnv): Promise<ApiProcess> {
  // What the SDK says of this version of Node is for those who maintain us, not for whoever tries us.
  const quiet = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };
  const child = fork(ENTRY, {
    env: { ...env, ...quiet },
    execArgv: HEAP,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit').then(([code, signal]) => `${signal ?? `exit code ${code}`}`);
  const readiness = once(child, 'message').then(() => null);
  const failure = await Promise.race([readiness, ended]);
  if (failure !== null) throw new Error(`The API did not start (${failure}); what it said is above.`);
  writePrivate(PID_FILE, `${child.pid}\n`);
  void ended.then(() => removeFile(PID_FILE));
  return { ended, stop: () => stop(child, ended) };
}

async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM');
  const forced = setTimeout(() => child.kill('SIGKILL'), DRAIN_MS);
  await ended;
  clearTimeout(forced);
}
