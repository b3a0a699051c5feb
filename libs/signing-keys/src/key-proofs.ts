import { setTimeout as sleep } from 'node:timers/promises';
import * as changes from './key-changes.js';
import { LeaseLost } from './leased-rotations.js';
import { type Answer, describe, type Look, showsDead } from './prober.js';
import type { Next, RotationPorts } from './rotation-ports.js';
import { acceptanceOf, isOverdue, proofOf } from './rotation-times.js';
import type { Control, RotatedKey, Rotation } from './rotation.js';

/** What is said of a key only after the store was seen to agree: that it can sign, and that it is dead. */
export class KeyProofs {
  constructor(private readonly ports: RotationPorts) {}

  /** The new key signs for nobody until the store has accepted it several times in a row. */
  async proveAccepted(rotation: Rotation, key: RotatedKey): Next {
    const { rotations, times } = this.ports;
    const { inARow, everyMs } = acceptanceOf(times, rotation);
    for (let accepted = 0; accepted < inARow; accepted++) {
      if (accepted > 0) await sleep(everyMs);
      const { at, answer } = await this.#askCanary(rotation, key);
      if (answer.kind !== 'accepted') return this.#notAccepted(rotation, key, answer, at);
    }
    return rotations.advance(rotation, `Accepted ${inARow} times in a row.`);
  }

  /** What a URL of the key gets while it is good. Without it only the store's own InvalidAccessKeyId tells that it no longer is. */
  async seeAccepted(rotation: Rotation, key: RotatedKey): Promise<Rotation> {
    if (rotation.wasAccepted) return rotation;
    try {
      const { answer } = await this.#askCanary(rotation, key);
      return answer.kind === 'accepted' ? await this.ports.rotations.note(rotation, changes.sawAccepted) : rotation;
    } catch (error) {
      if (error instanceof LeaseLost) throw error;
      // It must not keep a key from being cut off.
      this.ports.onFault(rotation, error);
      return rotation;
    }
  }

  /** *Revoked* is said only here: several times in a row the store refused a URL of the key, and was well meanwhile. */
  async proveDead(rotation: Rotation, key: RotatedKey): Next {
    const { rotations, prober, times } = this.ports;
    const controlKey = rotation.activeKey;
    const { inARow, everyMs } = proofOf(times, rotation);
    const needed = controlKey ? inARow : Math.max(inARow, times.withoutControl);
    for (let refused = 0; refused < needed; refused++) {
      if (refused > 0) await sleep(everyMs);
      const at = await rotations.renew(rotation);
      const look = await prober.look(rotation, { canary: key, control: controlKey, at });
      const isSessionOver = key.expiresAt !== null && key.expiresAt <= at;
      if (!showsDead(look, rotation.wasAccepted || isSessionOver)) return this.#notDead(rotation, key, look, at);
    }
    const meanwhile = controlKey ? `while a URL of ${controlKey.accessKeyId} was accepted` : 'as InvalidAccessKeyId';
    const seen = `Refused ${needed} times in a row, ${meanwhile}.`;
    return rotations.advance(rotation, seen, changes.revoke(toControl(controlKey), rotations.ledger));
  }

  /** The object that canaries ask for may not be there, and a key that may not list then gets AccessDenied: so it is put there. */
  async #askCanary(rotation: Rotation, key: RotatedKey): Promise<{ at: Date; answer: Answer }> {
    const { rotations, prober } = this.ports;
    const look = async () => {
      const at = await rotations.renew(rotation);
      return { at, answer: (await prober.look(rotation, { canary: key, control: null, at })).canary };
    };
    const first = await look();
    if (!lacksCanary(first.answer)) return first;
    await prober.placeCanary(rotation, key, await rotations.renew(rotation));
    return look();
  }

  #notAccepted(rotation: Rotation, key: RotatedKey, answer: Answer, now: Date): Next {
    const { rotations, times } = this.ports;
    const isManual = rotation.keyIssuer === null;
    const seen = `A URL of ${key.accessKeyId} was ${describe(answer)}.`;
    // Time brings a key to every corner of a store; it does not mend a secret.
    const isHopeless = answer.kind === 'refused' && answer.code === 'SignatureDoesNotMatch';
    if (!isHopeless && !isOverdue(rotation, now, isManual ? times.manualAcceptanceMs : times.acceptanceMs))
      return rotations.pause(rotation, { forMs: times.retryMs, detail: seen });
    const remedy = isManual
      ? 'Correct its rights at the store and retry, or retry with another credential.'
      : "Correct the rights of the key issuer's user at the store, then retry.";
    return rotations.needOperator(rotation, `The new key is not accepted. ${seen} ${remedy}`);
  }

  async #notDead(rotation: Rotation, key: RotatedKey, look: Look, now: Date): Next {
    const { rotations, times } = this.ports;
    const held = look.canary.kind === 'accepted' ? await rotations.note(rotation, changes.sawAccepted) : rotation;
    const control = look.control ? `, one of a key that works ${describe(look.control)}` : '';
    const detail = `A URL of ${key.accessKeyId} was ${describe(look.canary)}${control}.`;
    if (held.keyIssuer === null) {
      const waitingFor = { what: 'key-removal' as const, accessKeyId: key.accessKeyId ?? '' };
      return rotations.pause(held, { forMs: times.retryMs, waitingFor, detail });
    }
    if (!isOverdue(held, now, times.proofMs)) return rotations.pause(held, { forMs: times.retryMs, detail });
    const remedy = 'See at the store that it is gone, then retry.';
    return rotations.needOperator(held, `The store does not show that the old key is dead. ${detail} ${remedy}`);
  }
}

const lacksCanary = (answer: Answer): boolean =>
  answer.kind === 'accepted' ? answer.status === 404 : answer.kind === 'refused' && answer.code === 'AccessDenied';

function toControl(key: RotatedKey | null): Control {
  if (!key) return { what: 'invalid-access-key-id' };
  return { what: 'signing-key', signingKeyId: key.id, accessKeyId: key.accessKeyId ?? '' };
}
