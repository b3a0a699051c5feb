import { randomInt } from 'node:crypto';
import type { Outgoing } from '@countersign/outgoing';
import { callCephAdmin, type CephAdmin } from './ceph-admin.js';
import { cephFault, codeOf, isSuccess } from './ceph-fault.js';
import type { Answer } from './issuer-fetch.js';
import {
  CALL_TIMEOUT_MS,
  type CreationIntent,
  type IssuedKey,
  type KeyIssuer,
  KeyIssuerError,
  type Recovery,
} from './key-issuer.js';
import { storeWords } from './store-words.js';

export interface CephRgwSettings extends CephAdmin {
  /** The user whose access keys sign; `tenant$user` where it has a tenant. */
  uid: string;
}

/**
 * A Ceph user's access keys, by the gateway's Admin Ops API. We choose the name of a key and so know it before it is there; the gateway
 * makes the secret, since one in a request's query would stand in the gateway's access log.
 */
export class CephRgwKeyIssuer implements KeyIssuer {
  readonly #uid: string;
  readonly #admin: CephAdmin;
  readonly #timeoutMs: number;

  constructor(
    private readonly outgoing: Outgoing,
    { uid, ...admin }: CephRgwSettings,
    { timeoutMs = CALL_TIMEOUT_MS }: { timeoutMs?: number } = {},
  ) {
    this.#uid = uid;
    this.#admin = admin;
    this.#timeoutMs = timeoutMs;
  }

  prepare(): Promise<CreationIntent> {
    const preparedAt = new Date().toISOString();
    return Promise.resolve({ accessKeyId: freshName(), knownAccessKeyIds: [], preparedAt });
  }

  /** Called again it gives the key another secret, and with the first one it signs no more. */
  async create(intent: CreationIntent): Promise<IssuedKey> {
    const accessKeyId = nameOf(intent);
    const answer = await this.#aboutKey('PUT', accessKeyId, this.#deadline(), { 'generate-key': 'True' });
    if (!isSuccess(answer)) throw cephFault(`to make the key ${accessKeyId}`, answer, this.#uid);
    const made = keysIn(parse(answer)).find((key) => key.access_key === accessKeyId);
    if (!made?.secret_key) throw new KeyIssuerError('unknown', `The gateway did not tell the new key ${accessKeyId}.`);
    return { accessKeyId, secretAccessKey: made.secret_key };
  }

  /** Nobody else chooses this name, so whether it is there is the whole answer. */
  async afterUnknown(intent: CreationIntent): Promise<Recovery> {
    const accessKeyId = nameOf(intent);
    return (await this.#isListed(accessKeyId, this.#deadline()))
      ? { kind: 'unused', accessKeyId }
      : { kind: 'nothing-made' };
  }

  /** Ceph cannot disable a key. */
  disable(accessKeyId: string): Promise<void> {
    return this.remove(accessKeyId);
  }

  async remove(accessKeyId: string): Promise<void> {
    const signal = this.#deadline();
    const answer = await this.#aboutKey('DELETE', accessKeyId, signal);
    if (isSuccess(answer)) return;
    if (!['InvalidAccessKeyId', 'NoSuchKey'].includes(codeOf(answer)))
      throw cephFault(`to remove the key ${accessKeyId}`, answer, this.#uid);
    await this.#assertGone(accessKeyId, signal);
  }

  /**
   * Ceph says InvalidAccessKeyId where the user has no such key, but also where it does not believe our own credential, and where the key
   * is another user's. Only in the first case is the key gone.
   */
  async #assertGone(accessKeyId: string, signal: AbortSignal): Promise<void> {
    if (await this.#isListed(accessKeyId, signal))
      throw new KeyIssuerError('unknown', `The gateway says that ${accessKeyId} is not there, and lists it.`);
    const owner = await callCephAdmin(this.outgoing, this.#admin, 'GET', { 'access-key': accessKeyId }, signal);
    // That we may read users is known by now: AccessDenied is what Ceph answers where no user has the key.
    if (owner.status === 403 || owner.status === 404) return;
    if (!isSuccess(owner)) throw cephFault(`to find the key ${accessKeyId}`, owner, this.#uid);
    const { user_id: user } = parse(owner) as { user_id?: unknown };
    throw new KeyIssuerError(
      'refused',
      `${accessKeyId} belongs to the user "${storeWords(user)}" and not to "${this.#uid}": correct the bucket's key issuer, or remove the key by hand.`,
    );
  }

  async #isListed(accessKeyId: string, signal: AbortSignal): Promise<boolean> {
    const answer = await callCephAdmin(this.outgoing, this.#admin, 'GET', { uid: this.#uid }, signal);
    if (!isSuccess(answer)) throw cephFault('to list the keys', answer, this.#uid);
    const { keys } = parse(answer) as { keys?: unknown };
    return keysIn(keys).some((key) => key.access_key === accessKeyId);
  }

  /** Attack: without a uid, and with one that is nobody's, Ceph takes a key away from whoever has it; with another user's it does not. */
  #aboutKey(
    method: 'PUT' | 'DELETE',
    accessKeyId: string,
    signal: AbortSignal,
    more: Record<string, string> = {},
  ): Promise<Answer> {
    const parameters = { key: '', 'key-type': 's3', uid: this.#uid, 'access-key': accessKeyId, ...more };
    return callCephAdmin(this.outgoing, this.#admin, method, parameters, signal);
  }

  /** Of all requests that one call of ours takes. */
  #deadline(): AbortSignal {
    return AbortSignal.timeout(this.#timeoutMs);
  }
}

const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** 20 characters, as the names that Ceph and AWS make have; 16 of them random. */
function freshName(): string {
  return `CSGN${Array.from({ length: 16 }, () => CHARACTERS[randomInt(CHARACTERS.length)]).join('')}`;
}

function nameOf({ accessKeyId }: CreationIntent): string {
  if (accessKeyId !== null) return accessKeyId;
  throw new KeyIssuerError('refused', 'The key was begun by another key issuer, which chose no name for it.');
}

interface CephKey {
  access_key: string;
  secret_key: string;
}

function keysIn(value: unknown): CephKey[] {
  if (!Array.isArray(value)) throw new KeyIssuerError('unknown', 'The gateway answered without a list of keys.');
  return (value as unknown[]).filter(isKey);
}

function isKey(value: unknown): value is CephKey {
  const { access_key: id, secret_key: secret } = (value ?? {}) as Partial<CephKey>;
  return typeof id === 'string' && typeof secret === 'string';
}

/** Never shows what it could not read: a secret may be in it. */
function parse({ body }: Answer): unknown {
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch {
    throw new KeyIssuerError('unknown', 'The gateway answered with something other than JSON.');
  }
}
