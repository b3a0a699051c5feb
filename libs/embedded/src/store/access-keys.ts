import { open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { KeyLock } from './key-lock.js';
import type { AccessKey, UserAccessKey } from './messages.js';
import { S3Error } from './s3-error.js';

/** Whose keys are those that name no user. */
export const DEFAULT_UID = 'embedded';

const FILE = 'access-keys.json';

type LivingKey = AccessKey & { uid: string };

/**
 * The access keys that are alive, and whose they are. They are kept in a file, so that a key that was taken away stays dead and a new one
 * stays alive when the store starts again; a change counts once it is on disk.
 */
export class AccessKeys {
  #keys: ReadonlyMap<string, LivingKey>;
  readonly #lock = new KeyLock();

  private constructor(
    private readonly file: string,
    private readonly uids: ReadonlySet<string>,
    keys: LivingKey[],
  ) {
    this.#keys = byName(keys);
  }

  /** @param first what is alive where there is no file yet; it counts no more once there is one. */
  static async open(dir: string, first: UserAccessKey[]): Promise<AccessKeys> {
    const file = path.join(dir, FILE);
    const given = first.map((key) => ({ uid: DEFAULT_UID, ...key }));
    const kept = await read(file);
    if (!kept) await write(file, given);
    const keys = kept ?? given;
    return new AccessKeys(file, new Set([DEFAULT_UID, ...[...given, ...keys].map(({ uid }) => uid)]), keys);
  }

  secretOf(accessKeyId: string): string | undefined {
    return this.#keys.get(accessKeyId)?.secretAccessKey;
  }

  ownerOf(accessKeyId: string): string | undefined {
    return this.#keys.get(accessKeyId)?.uid;
  }

  /** @throws S3Error where there is no such user. */
  keysOf(uid: string): LivingKey[] {
    if (!this.uids.has(uid)) throw new S3Error('NoSuchUser', 'There is no such user.');
    return [...this.#keys.values()].filter((key) => key.uid === uid);
  }

  /** Makes a key, or gives the user's key of this name another secret. @throws S3Error where another user has the name. */
  put(key: LivingKey): Promise<void> {
    return this.#change((keys) => {
      this.keysOf(key.uid);
      const owner = keys.get(key.accessKeyId)?.uid ?? key.uid;
      if (owner !== key.uid) throw new S3Error('KeyExists', 'Another user has a key of this name.');
      keys.set(key.accessKeyId, key);
    });
  }

  /** @throws S3Error where this user has no such key. */
  remove(uid: string, accessKeyId: string): Promise<void> {
    return this.#change((keys) => {
      this.keysOf(uid);
      if (keys.get(accessKeyId)?.uid !== uid) throw new S3Error('InvalidAccessKeyId', 'The user has no such key.');
      keys.delete(accessKeyId);
    });
  }

  /** One after the other, or of two changes the file would have only the last. */
  #change(change: (keys: Map<string, LivingKey>) => void): Promise<void> {
    return this.#lock.run(this.file, async () => {
      const keys = new Map(this.#keys);
      change(keys);
      await write(this.file, [...keys.values()]);
      this.#keys = keys;
    });
  }
}

const byName = (keys: LivingKey[]): Map<string, LivingKey> => new Map(keys.map((key) => [key.accessKeyId, key]));

async function read(file: string): Promise<LivingKey[] | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  try {
    return JSON.parse(text) as LivingKey[];
  } catch {
    // Starting with the first keys instead would bring those to life that were taken away.
    throw new Error(`${file} cannot be read: remove it, and the access keys of the first start count again.`);
  }
}

/** Whole or not at all, whenever this process dies. */
async function write(file: string, keys: LivingKey[]): Promise<void> {
  const unfinished = `${file}.unfinished`;
  const handle = await open(unfinished, 'w', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(keys, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, file);
}
