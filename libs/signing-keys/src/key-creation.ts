import { setTimeout as sleep } from 'node:timers/promises';
import * as changes from './key-changes.js';
import { type CreationIntent, type IssuedKey, type KeyIssuer, KeyIssuerError } from './key-issuers/key-issuer.js';
import { LeaseLost } from './leased-rotations.js';
import type { Next, RotationPorts } from './rotation-ports.js';
import type { Attempt, Rotation } from './rotation.js';

const TAKE_BACK_TRIES = 5;

/**
 * Makes one key at the store, and leaves none behind: of every attempt there is an intent on record before it. Where nobody heard what came
 * of an attempt the store is asked; a key whose secret is lost is recorded by its name, and only that one is taken away.
 */
export class KeyCreation {
  constructor(private readonly ports: RotationPorts) {}

  async create(rotation: Rotation, issuer: KeyIssuer): Next {
    const { rotations, seal } = this.ports;
    if (rotation.intent) return this.#recover(rotation, issuer, rotation.intent);

    await rotations.renew(rotation);
    const intent = await issuer.prepare();
    const intending = await rotations.note(rotation, changes.intend(intent));
    await rotations.renew(intending);
    const issued = await this.#attempt(intending, issuer, intent);
    if (!issued) return null;
    try {
      return await rotations.advance(intending, `Made ${issued.accessKeyId}.`, changes.keepIssued(issued, seal));
    } catch (error) {
      if (error instanceof LeaseLost) await this.#takeBack(intending, issuer, issued.accessKeyId);
      throw error;
    }
  }

  /** A list that was old may have hidden a key that we made: whatever attempt seems to have made nothing is asked after once more. */
  async clearLeftovers(rotation: Rotation, issuer: KeyIssuer): Next {
    const { rotations } = this.ports;
    let held = rotation;
    for (const leftover of rotation.leftovers) {
      let unused = leftover.unusedAccessKeyId;
      if (unused === undefined) {
        const recovery = await this.#askAfter(held, issuer, leftover);
        if (recovery.kind === 'wait') return this.#wait(held);
        if (recovery.kind === 'unclear')
          return rotations.needOperator(held, unclear(recovery.accessKeyIds), changes.dropLeftover(leftover));
        if (recovery.kind === 'unused') {
          unused = recovery.accessKeyId;
          held = await rotations.note(held, changes.nameLeftover(leftover, unused));
        }
      }
      if (unused !== undefined) await this.#remove(held, issuer, unused);
      held = await rotations.note(held, changes.dropLeftover(leftover));
    }
    return held;
  }

  /** Null where nothing was made, and that is on record. @throws KeyIssuerError */
  async #attempt(rotation: Rotation, issuer: KeyIssuer, intent: CreationIntent): Promise<IssuedKey | null> {
    const { rotations } = this.ports;
    try {
      return await issuer.create(intent);
    } catch (error) {
      if (!(error instanceof KeyIssuerError) || error.kind === 'unknown') throw error;
      const idle = await rotations.note(rotation, changes.dropIntent);
      // What takes the place may be a key of our own that nobody knew of.
      if (error.kind !== 'limit' || idle.leftovers.length === 0) throw error;
      const cleared = await this.clearLeftovers(idle, issuer);
      return cleared && rotations.pause(cleared, { forMs: 0, detail: error.message });
    }
  }

  /** Nobody else has the secret of this key, or ever will, and its name may be on record nowhere: whoever made it takes it away. */
  async #takeBack(rotation: Rotation, issuer: KeyIssuer, accessKeyId: string): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await issuer.remove(accessKeyId);
      } catch (cause) {
        const words = `${accessKeyId} was made too late, and could not be taken away: remove it at the store`;
        if (tries === TAKE_BACK_TRIES) return this.ports.onFault(rotation, new Error(words, { cause }));
        await sleep(500 * tries);
      }
    }
  }

  /** Leaves the step where it is: without an intent it begins anew. */
  async #recover(rotation: Rotation, issuer: KeyIssuer, intent: Attempt): Next {
    const { rotations } = this.ports;
    if (intent.unusedAccessKeyId !== undefined) {
      await this.#remove(rotation, issuer, intent.unusedAccessKeyId);
      return rotations.note(rotation, changes.forgetUnused);
    }
    const recovery = await this.#askAfter(rotation, issuer, intent);
    switch (recovery.kind) {
      case 'wait':
        return this.#wait(rotation);
      case 'nothing-made':
        return rotations.note(rotation, changes.setAside(intent));
      case 'unused':
        return rotations.note(rotation, changes.nameUnused(intent, recovery.accessKeyId));
      case 'unclear':
        return rotations.needOperator(rotation, unclear(recovery.accessKeyIds), changes.giveUpIntent);
      default:
        return recovery satisfies never;
    }
  }

  async #remove(rotation: Rotation, issuer: KeyIssuer, accessKeyId: string): Promise<void> {
    await this.ports.rotations.renew(rotation);
    await issuer.remove(accessKeyId);
  }

  /** Keys that rows of ours name are none that an attempt has left. */
  async #askAfter(rotation: Rotation, issuer: KeyIssuer, intent: Attempt) {
    const { rotations } = this.ports;
    const names = [...intent.knownAccessKeyIds, ...(await rotations.accessKeyIds(rotation))];
    const knownAccessKeyIds = [...new Set(names)].filter((name) => name !== intent.accessKeyId);
    await rotations.renew(rotation);
    return issuer.afterUnknown({ ...intent, knownAccessKeyIds });
  }

  #wait(rotation: Rotation): Promise<null> {
    const detail = 'An access key may have been made: the store is asked until that is clear.';
    return this.ports.rotations.pause(rotation, { forMs: this.ports.times.retryMs, detail });
  }
}

const unclear = (names: string[]): string =>
  `Access keys appeared while one was being made, and whose they are cannot be told: ${names.join(', ')}. ` +
  'Remove those that nobody uses at the store, then retry.';
