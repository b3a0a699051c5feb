import { setTimeout as sleep } from 'node:timers/promises';
import { readJson, removeFile, writePrivate } from './place.js';

const FILE = 'npm-start.json';

interface Instance {
  pid: number;
  isStopping: boolean;
}

/**
 * Makes this the one `npm start` of this checkout: two would share one database's files. One that is just stopping is waited for, one that
 * died is forgotten.
 * @throws where another one runs.
 */
export async function becomeSingleInstance(): Promise<{ announceStop(): void; release(): void }> {
  for (let tries = 0; ; tries++) {
    const other = readJson<Instance>(FILE);
    if (!other || other.pid === process.pid || !isAlive(other.pid)) break;
    if (!other.isStopping || tries >= 300) {
      throw new Error(`"npm start" runs already here, as process ${other.pid}. Stop it first: kill ${other.pid}`);
    }
    await sleep(100);
  }
  const note = (isStopping: boolean) =>
    writePrivate(FILE, JSON.stringify({ pid: process.pid, isStopping } satisfies Instance));
  note(false);
  return { announceStop: () => note(true), release: () => removeFile(FILE) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
