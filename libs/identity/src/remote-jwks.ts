import type { Outgoing } from '@countersign/outgoing';
import { isUsableJwk, type JsonWebKeySet } from './jwks.js';

/** A JWKS is some kilobytes; an endpoint that sends more, or drips it, must not hold us up. */
const MAX_BYTES = 64 * 1024;
const TIMEOUT_MS = 3_000;

/** Keys are fetched anew behind the requests that use them, long before anyone would have to wait for them. */
const REFRESH_MS = 5 * 60_000;

/** While an endpoint is down its keys are kept; but not for ever, or a provider could never take a stolen key back. */
const KEEP_MS = 24 * 3_600_000;

/** How often an unknown `kid`, or an endpoint that is down, may make us fetch again. */
const PAUSE_MS = 30_000;

interface Entry {
  keys: JsonWebKeySet | null;
  fetchedAt: number;
  triedAt: number;
  fetching: Promise<unknown> | null;
}

/**
 * The keys of issuers that publish them. Each endpoint is asked once for all who wait, and an attacker's unknown `kid`s cost one fetch in 30
 * seconds, while tokens with known ones are checked as always. No redirects are followed and symmetric keys are left out.
 */
export class RemoteJwks {
  readonly #entries = new Map<string, Entry>();

  /** @param now milliseconds; tests turn it. */
  constructor(
    private readonly outgoing: Outgoing,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * The endpoint's keys. They are the newest ones where `isEnough` is not content with those at hand, and fetching again is due.
   * @throws where there are none and the endpoint gives none.
   */
  async get(uri: string, isEnough: (keys: JsonWebKeySet) => boolean): Promise<JsonWebKeySet> {
    const entry = this.#entryOf(uri);
    if (entry.keys && this.now() - entry.fetchedAt > KEEP_MS) entry.keys = null;
    const age = this.now() - entry.fetchedAt;
    if (entry.keys && isEnough(entry.keys)) {
      if (age > REFRESH_MS && this.#mayFetch(entry)) void this.#fetch(uri, entry);
      return entry.keys;
    }
    if (entry.fetching || this.#mayFetch(entry)) await this.#fetch(uri, entry);
    if (!entry.keys) throw new Error(`${new URL(uri).host} gives no keys`);
    return entry.keys;
  }

  #entryOf(uri: string): Entry {
    const known = this.#entries.get(uri);
    if (known) return known;
    const entry: Entry = { keys: null, fetchedAt: 0, triedAt: -Infinity, fetching: null };
    this.#entries.set(uri, entry);
    return entry;
  }

  #mayFetch(entry: Entry): boolean {
    return !entry.fetching && this.now() - entry.triedAt >= PAUSE_MS;
  }

  /** Resolves when it is over, well or badly: what is at hand then is what there is. */
  #fetch(uri: string, entry: Entry): Promise<unknown> {
    if (entry.fetching) return entry.fetching;
    entry.triedAt = this.now();
    entry.fetching = fetchKeys(this.outgoing, uri)
      .then(
        (keys) => Object.assign(entry, { keys, fetchedAt: this.now() }),
        () => entry,
      )
      .finally(() => {
        entry.fetching = null;
      });
    return entry.fetching;
  }
}

async function fetchKeys(outgoing: Outgoing, uri: string): Promise<JsonWebKeySet> {
  const headers = { accept: 'application/jwk-set+json, application/json' };
  const { status, body } = await outgoing.ask(uri, { headers }, AbortSignal.timeout(TIMEOUT_MS), MAX_BYTES);
  if (status !== 200) throw new Error(`status ${status}`);
  const jwks = JSON.parse(body.toString()) as { keys?: unknown } | null;
  const keys = Array.isArray(jwks?.keys) ? (jwks.keys as unknown[]).filter(isUsableJwk) : [];
  if (keys.length === 0) throw new Error('no usable key');
  return { keys };
}
