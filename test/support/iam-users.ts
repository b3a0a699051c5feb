import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyIssuerError } from '@countersign/signing-keys';
import { callCephAdmin, type CephAdmin } from '../../libs/signing-keys/src/key-issuers/ceph-admin.js';
import { untilKnown } from './storage-keys.js';
import { OUTGOING } from './outgoing.js';

/** How far what IAM shows, and what the store believes, is behind what was done. */
export interface Lag {
  /** A new key is believed only after this. */
  usableMs: number;
  /** A disabled or deleted key is believed for this long. */
  deadMs: number;
  /** A new key is listed only after this. */
  listedMs: number;
  /** A deleted key is listed for this long. */
  unlistedMs: number;
}

export interface IamKey {
  userName: string;
  accessKeyId: string;
  secretAccessKey: string;
  createdAt: number;
  usedAt?: number;
  status: 'Active' | 'Inactive';
  deletedAt?: number;
}

/** A refusal in IAM's words. */
export class IamError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** The users of the IAM stand-in. Their keys open and close access at a store for real, by its Admin Ops API, when the lag says so. */
export class IamUsers {
  readonly lag: Lag = { usableMs: 0, deadMs: 0, listedMs: 0, unlistedMs: 0 };
  /** Every key that there ever was. */
  readonly keys: IamKey[] = [];
  readonly #users = new Set<string>();
  readonly #believed = new Set<string>();
  readonly #stop = new AbortController();
  #syncing: Promise<unknown> = Promise.resolve();

  /** @param uid whose keys they are at the store. */
  constructor(
    private readonly store: CephAdmin,
    private readonly uid: string,
  ) {}

  /** A user, with keys that are believed at the store already. */
  add(userName: string, ...keys: { accessKeyId: string; secretAccessKey: string }[]): void {
    this.#users.add(userName);
    for (const key of keys) {
      this.keys.push({ ...key, userName, status: 'Active', createdAt: Date.now() - 86_400_000 });
      this.#believed.add(key.accessKeyId);
    }
  }

  /** The keys that the user really has. */
  of(userName: string): IamKey[] {
    if (!this.#users.has(userName))
      throw new IamError(404, 'NoSuchEntity', `The user with name ${userName} cannot be found.`);
    return this.keys.filter((key) => key.userName === userName && key.deletedAt === undefined);
  }

  /** The keys that a list shows. */
  shown(userName: string, staleMs = 0): IamKey[] {
    this.of(userName);
    const at = Date.now() - staleMs;
    const { listedMs, unlistedMs } = this.lag;
    return this.keys.filter(
      (key) =>
        key.userName === userName &&
        key.createdAt + listedMs <= at &&
        (key.deletedAt === undefined || key.deletedAt + unlistedMs > at),
    );
  }

  find(accessKeyId: string, userName?: string): IamKey {
    const key = (userName === undefined ? this.keys : this.of(userName)).find(
      (each) => each.accessKeyId === accessKeyId && each.deletedAt === undefined,
    );
    if (key) return key;
    throw new IamError(404, 'NoSuchEntity', `The Access Key with id ${accessKeyId} cannot be found.`);
  }

  async create(userName: string): Promise<IamKey> {
    if (this.of(userName).length >= 2)
      throw new IamError(409, 'LimitExceeded', 'Cannot exceed quota for AccessKeysPerUser: 2');
    const accessKeyId = `AKIA${randomBytes(8).toString('hex').toUpperCase()}`;
    const secretAccessKey = randomBytes(20).toString('hex');
    const key: IamKey = { userName, accessKeyId, secretAccessKey, status: 'Active', createdAt: Date.now() };
    this.keys.push(key);
    await this.#syncAfter(this.lag.usableMs, key);
    return key;
  }

  async update(userName: string, accessKeyId: string, status: IamKey['status']): Promise<void> {
    const key = this.find(accessKeyId, userName);
    key.status = status;
    await this.#syncAfter(status === 'Active' ? this.lag.usableMs : this.lag.deadMs, key);
  }

  async delete(userName: string, accessKeyId: string): Promise<void> {
    const key = this.find(accessKeyId, userName);
    key.deletedAt = Date.now();
    await this.#syncAfter(this.lag.deadMs, key);
  }

  /** Nothing changes at the store from then on. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#syncing;
  }

  async #syncAfter(ms: number, key: IamKey): Promise<void> {
    if (ms === 0) return this.#sync(key);
    void sleep(ms, undefined, { signal: this.#stop.signal, ref: false })
      .then(() => this.#sync(key))
      .catch(() => undefined);
  }

  /** What the store is to believe is decided when it is told: a key that was cut off before it was usable stays dead. */
  #sync(key: IamKey): Promise<void> {
    const before = this.#syncing;
    const synced = (async () => {
      await before;
      await this.#tellStore(key);
    })();
    this.#syncing = synced.catch(() => undefined);
    return synced;
  }

  async #tellStore(key: IamKey): Promise<void> {
    const isWanted = key.status === 'Active' && key.deletedAt === undefined;
    if (isWanted === this.#believed.has(key.accessKeyId)) return;
    const name = { key: '', uid: this.uid, 'access-key': key.accessKeyId };
    const made = { ...name, 'secret-key': key.secretAccessKey, 'generate-key': 'False' };
    const method = isWanted ? 'PUT' : 'DELETE';
    await untilKnown(async () => {
      const { status } = await callCephAdmin(
        OUTGOING,
        this.store,
        method,
        isWanted ? made : name,
        AbortSignal.timeout(10_000),
      );
      if (status !== 200)
        throw new KeyIssuerError('unknown', `The store answered ${status} to the stand-in's ${method}.`);
    });
    if (isWanted) this.#believed.add(key.accessKeyId);
    else this.#believed.delete(key.accessKeyId);
  }
}
