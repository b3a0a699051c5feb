import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '@countersign/embedded';

/** A built program that ran: what it printed, and how it ended. */
export interface Run {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** As `npm start` has it: the SDK's advice about Node 20 is no output of ours. */
const QUIET = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };

/** Runs a program of dist/ to its end, with this environment and no other. */
export async function runBuilt(script: string, args: string[], env: NodeJS.ProcessEnv, input = ''): Promise<Run> {
  const child = spawn(process.execPath, [script, ...args], {
    env: { PATH: process.env['PATH'], ...QUIET, ...env },
  });
  const printed = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (printed.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed.stderr += chunk.toString()));
  child.stdin.end(input);
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, ...printed };
}

/** The built API, in a process of its own. */
export interface BuiltApi {
  url: string;
  pid: number;
  /** All that it has printed so far, on both streams. */
  printed(): string;
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM, and it ends in order. */
  stop(): Promise<void>;
  /** kill -9: it gets no chance to do anything. */
  kill(): Promise<void>;
}

/** Starts the built API with this environment and no other, and waits until it listens. */
export async function startBuiltApi(env: NodeJS.ProcessEnv): Promise<BuiltApi> {
  const port = await freePort();
  const child: ChildProcess = fork('dist/apps/api/src/main.js', {
    env: { PATH: process.env['PATH'], ...QUIET, HOST: '127.0.0.1', PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const closed = once(child, 'close');
  const started = await Promise.race([once(child, 'message').then(() => true), closed.then(() => false)]);
  if (!started) throw new Error(`The API did not start:\n${printed}`);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    printed: () => printed,
    signal: (signal) => void child.kill(signal),
    stop: async () => {
      child.kill('SIGTERM');
      await closed;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
