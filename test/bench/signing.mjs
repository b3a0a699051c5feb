// Signing alone, on one core, in a process of its own, in which nothing else has warmed or cluttered anything.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endOf, QUIET } from './programs.mjs';

const PROCESS = fileURLToPath(new URL('signing/process.mjs', import.meta.url));

/** @returns what signing/process.mjs tells: { rates, compared, different } */
export async function measureSigning(quick, cleanup) {
  const env = { PATH: process.env.PATH, ...QUIET };
  const child = fork(PROCESS, [quick ? 'quick' : 'full'], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const stop = endOf(child);
  cleanup.add(stop);
  const [result] = await Promise.race([once(child, 'message'), once(child, 'close').then(() => [null])]);
  if (!result) throw new Error('The signing benchmark ended early.');
  await stop();
  return result;
}
