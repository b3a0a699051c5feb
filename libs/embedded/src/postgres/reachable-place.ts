import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, lstat, mkdir, realpath } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/**
 * Gives a directory of ours outside the checkout that every user can enter and only we can write to. Its name
 * follows from `origin`, so that the next start finds what this one left there.
 */
export async function reachablePlace(purpose: string, origin: string): Promise<string> {
  const hash = createHash('sha256')
    .update(await realpath(origin))
    .digest('hex')
    .slice(0, 16);
  const place = path.join(root(), `countersign-${purpose}-${hash}`);
  await mkdir(place, { mode: 0o711 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await refuseUnlessOurs(place);
  await chmod(place, 0o711); // whatever the umask left
  return place;
}

/**
 * Attack: the name can be guessed and its parent is writable by all, so another local user makes the directory
 * first (or a link to it) and puts there the binaries that we would run.
 */
export async function refuseUnlessOurs(place: string): Promise<void> {
  const found = await lstat(place);
  const isOurs = found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
  if (!isOurs) {
    throw new Error(`${place} belongs to somebody else: remove it, or set TMPDIR to a directory of your own.`);
  }
}

/** /var/tmp outlives a reboot, which /tmp often does not. */
function root(): string {
  if (process.env['TMPDIR'] || !existsSync('/var/tmp')) return os.tmpdir();
  return '/var/tmp';
}
