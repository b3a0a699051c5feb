import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Where everything of a local installation is kept: ignored by git, and gone with `rm -rf .countersign`. */
export const PLACE = path.resolve('.countersign');

export const inPlace = (name: string): string => path.join(PLACE, name);

/** May be walked through, since PostgreSQL runs as another user where we are root, but not listed. */
export function makePlace(): void {
  mkdirSync(PLACE, { recursive: true, mode: 0o711 });
}

/** A file that only its owner reads. */
export function writePrivate(name: string, content: string): void {
  writeFileSync(inPlace(name), content, { mode: 0o600 });
}

/** The JSON of a file of ours, or null where it is not there or was cut off by a crash. */
export function readJson<T>(name: string): T | null {
  try {
    return JSON.parse(readFileSync(inPlace(name), 'utf8')) as T;
  } catch {
    return null;
  }
}

export const removeFile = (name: string): void => rmSync(inPlace(name), { force: true });
