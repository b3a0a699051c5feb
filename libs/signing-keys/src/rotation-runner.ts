import * as changes from './key-changes.js';
import { KeyCreation } from './key-creation.js';
import { type KeyIssuer, KeyIssuerError } from './key-issuers/key-issuer.js';
import { KeyProofs } from './key-proofs.js';
import { LeaseLost } from './leased-rotations.js';
import type { Next, RotationPorts } from './rotation-ports.js';
import type { RotatedKey, Rotation } from './rotation.js';

/**
 * The story of a rotation, from one signing key to the next. Any replica can take it up at any step: every outside call has a committed
 * intent before it and a committed outcome after it, and may be made twice without harm. Before each one the lease is renewed, so that
 * there is time for it; a worker that lost its lease stops (invariant 8).
 */
export class RotationRunner {
  readonly #creation: KeyCreation;
  readonly #proofs: KeyProofs;

  constructor(private readonly ports: RotationPorts) {
    this.#creation = new KeyCreation(ports);
    this.#proofs = new KeyProofs(ports);
  }

  /** Takes up a rotation that is due; null where there is none. */
  claim(): Promise<Rotation | null> {
    return this.ports.rotations.claim();
  }

  /** Works on a claimed rotation until there is nothing to do for now. It never fails: what failed is tried again, or told the operator. */
  async run(claimed: Rotation, stopping: AbortSignal): Promise<void> {
    let held = claimed;
    try {
      for (let next: Rotation | null = held; next; next = await this.#step(held)) {
        held = next;
        if (stopping.aborted) return await this.ports.rotations.release(held);
      }
    } catch (error) {
      await this.#failed(held, error).catch((cause: unknown) => {
        // Then the lease runs out, and another worker takes the step up.
        if (!(cause instanceof LeaseLost)) this.ports.onFault(held, cause);
      });
    }
  }

  #step(rotation: Rotation): Next {
    switch (rotation.step) {
      case 'create-key':
        return this.#createKey(rotation);
      case 'probe-key':
        return this.#proofs.proveAccepted(rotation, present(rotation.newKey));
      case 'promote':
        return this.#promote(rotation);
      case 'wait-for-urls':
        return this.#waitForUrls(rotation, present(rotation.oldKey));
      case 'disable-key':
        return this.#disableKey(rotation, present(rotation.oldKey));
      case 'prove-dead':
        return this.#proofs.proveDead(rotation, present(rotation.oldKey));
      case 'delete-key':
        return this.#deleteKey(rotation, present(rotation.oldKey));
      case 'find-leftovers':
        return this.#findLeftovers(rotation);
      default:
        return rotation.step satisfies never;
    }
  }

  #createKey(rotation: Rotation): Next {
    const issuer = this.#issuerOf(rotation);
    if (issuer) return this.#creation.create(rotation, issuer);
    const problem =
      'The bucket has no key issuer any more. Give it one, or retry with a credential that was made by hand.';
    return this.ports.rotations.needOperator(rotation, problem);
  }

  #promote(rotation: Rotation): Next {
    const { rotations } = this.ports;
    return rotations.advance(rotation, 'It signs from now on.', changes.promote(rotations.ledger));
  }

  /** Nobody's URL fails: the old key is left alone until the last of its URLs has expired. */
  async #waitForUrls(rotation: Rotation, key: RotatedKey): Next {
    const { rotations, times } = this.ports;
    const { latestExpiresAt } = await rotations.exposure(rotation);
    if (latestExpiresAt !== null) {
      return rotations.pause(rotation, {
        until: new Date(Date.parse(latestExpiresAt) + times.urlMarginMs),
        waitingFor: { what: 'urls', until: latestExpiresAt },
        detail: 'URLs of the old key are still good.',
      });
    }
    const others = await rotations.bucketsSharing(rotation, key);
    if (others.length === 0) return rotations.advance(rotation, 'No URL of the old key is left.', changes.cutOff);
    const problem = `${key.accessKeyId} is the signing key of ${others.join(', ')} too, whose URLs would die. Rotate that as well, then retry.`;
    return rotations.needOperator(rotation, problem);
  }

  async #disableKey(rotation: Rotation, key: RotatedKey): Next {
    const { rotations } = this.ports;
    const held = await this.#proofs.seeAccepted(rotation, key);
    const issuer = this.#issuerOf(held);
    if (!issuer) return rotations.advance(held, 'Nothing is signed with it any more.');
    await rotations.renew(held);
    await issuer.disable(present(key.accessKeyId));
    return rotations.advance(held, 'The store was told.');
  }

  /** After it was proven dead. What is made by hand is taken away by hand: that was waited for. */
  async #deleteKey(rotation: Rotation, key: RotatedKey): Next {
    const { rotations } = this.ports;
    const issuer = this.#issuerOf(rotation);
    if (!issuer) return rotations.advance(rotation, 'Its secret is forgotten.', changes.forgetOld);
    await rotations.renew(rotation);
    await issuer.remove(present(key.accessKeyId));
    return rotations.advance(rotation, 'Gone from the store.', changes.forgetOld);
  }

  async #findLeftovers(rotation: Rotation): Next {
    const issuer = this.#issuerOf(rotation);
    const cleared = issuer ? await this.#creation.clearLeftovers(rotation, issuer) : rotation;
    return cleared && this.ports.rotations.advance(cleared, 'No attempt has left a key behind.');
  }

  /** A store that is slow or hurried is tried again, later each time; one that says no needs a person. */
  async #failed(rotation: Rotation, error: unknown): Promise<void> {
    if (error instanceof LeaseLost) return;
    const { rotations, onFault } = this.ports;
    if (!(error instanceof KeyIssuerError)) {
      onFault(rotation, error);
      const detail = "It failed for a reason of ours, and is tried again: the log has it under the rotation's id.";
      await rotations.pause(rotation, { afterFailure: true, detail });
    } else if (error.kind === 'refused' || error.kind === 'limit') {
      await rotations.needOperator(rotation, `${error.message} (POST /rotations/{id}/retry)`);
    } else {
      await rotations.pause(rotation, { afterFailure: true, detail: error.message });
    }
  }

  #issuerOf({ keyIssuer }: Rotation): KeyIssuer | null {
    return keyIssuer && this.ports.keyIssuers.of(keyIssuer);
  }
}

/** What a step's plan promises. */
function present<T>(value: T | null): T {
  if (value === null) throw new Error('the rotation lacks what its step is about');
  return value;
}
