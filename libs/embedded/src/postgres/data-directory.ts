import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { canWrite, runAs, type Account } from './account.js';
import type { Binaries } from './binaries.js';
import { reachablePlace, refuseUnlessOurs } from './reachable-place.js';

/** In `dir`, when the data could not be kept there: the path of the data directory. */
const LOCATION_FILE = 'location';

/** Says where the data of an earlier start lies, or would lie. */
export async function findDataDir(dir: string): Promise<string> {
  const remembered = await readFile(path.join(dir, LOCATION_FILE), 'utf8').catch(() => '');
  if (!remembered) return path.join(dir, 'data');
  if (existsSync(remembered)) await refuseUnlessOurs(path.dirname(remembered));
  return remembered;
}

/**
 * Chooses a data directory that the account can reach: `dir`/data, or one outside, which `dir` remembers so that
 * the next start finds the same data.
 */
export async function chooseDataDir(dir: string, account: Account): Promise<string> {
  const found = await findDataDir(dir);
  if (existsSync(found)) return found;
  if (await isReachable(dir, account)) return path.join(dir, 'data');

  const elsewhere = path.join(await reachablePlace('data', dir), 'data');
  await writeFile(path.join(dir, LOCATION_FILE), elsewhere);
  return elsewhere;
}

/** Makes a database cluster unless there is one: whole or not at all, whenever this process dies. */
export async function ensureCluster(
  { initdb }: Binaries,
  account: Account,
  dataDir: string,
  { password, isDurable }: { password: string; isDurable: boolean },
): Promise<void> {
  if (existsSync(path.join(dataDir, 'PG_VERSION'))) return;
  const unfinished = `${dataDir}.unfinished`;
  const passwordFile = `${dataDir}.password`;
  await rm(unfinished, { recursive: true, force: true });
  await rm(passwordFile, { force: true });
  try {
    await makeOwned(unfinished, account);
    await writeFile(passwordFile, password, { flag: 'wx', mode: 0o600 });
    if (account) await chown(passwordFile, account.uid, account.gid);

    // Not `trust`: every local user would be superuser, and row-level security would prove nothing.
    const options = ['-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C'];
    if (!isDurable) options.push('--no-sync');
    const { code, output } = await runAs(account, initdb, ['-D', unfinished, ...options]);
    if (code !== 0) throw new Error(`PostgreSQL could not make its data directory ${dataDir}: ${output}`);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(unfinished, dataDir).catch((cause: unknown) => {
    throw new Error(`${dataDir} is not a PostgreSQL data directory: move it away and start again.`, { cause });
  });
}

async function isReachable(dir: string, account: Account): Promise<boolean> {
  const probe = path.join(dir, 'probe');
  await makeOwned(probe, account);
  const result = await canWrite(account, probe);
  await rm(probe, { recursive: true });
  return result;
}

async function makeOwned(directory: string, account: Account): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (account) await chown(directory, account.uid, account.gid);
}
