import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Config } from '@countersign/config';
import { Database, type Passenger } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import { LRUCache } from 'lru-cache';
import { Quota } from './quota.js';

/** What a caller may use at once is as much as its rate gives in so many seconds. `use_quotas` forgets a quota after a little longer. */
const WINDOW_SECONDS = 10;

/** How often the other replicas are told at most. */
const TELL_MS = 200;

/** For whoever asks again without waiting: longer than any answer takes, and shorter than any client's patience. */
const PAUSE_MS = 250;

/** How many quotas are told at once. */
const MAX_TOLD = 500;

/** Of callers who asked for something lately. Another one's quota begins anew, and so does that of the one who is forgotten for it. */
const MAX_KNOWN = 50_000;

interface Caller {
  tenantId: string;
  subject: string;
}

/** As much of an answer as is written here. */
interface Answer {
  header(name: string, value: string): unknown;
}

/**
 * In any time no subject, and no tenant as a whole, gets more than its rate gives in that time and in ten seconds more, over all replicas
 * together. Each counts for itself; what it counted goes to the database, and what all have counted comes back, with the look-up of a token's
 * issuer, at most every 200 ms. So beyond that R replicas let through what each of them serves in 200 ms, and a sixteenth of ten seconds' worth each, of
 * which it tells nobody. No statement is made for it, and none at all for a caller who has nothing left.
 */
@Injectable()
export class RateLimits {
  readonly #perSubject: number;
  readonly #perTenant: number;
  /** For `RateLimit-Policy`. */
  readonly #policy: string;
  readonly #quotas = new LRUCache<string, Quota>({ max: MAX_KNOWN });
  /** Who was refused, by the header that said who it was. */
  readonly #refused = new LRUCache<string, Caller>({ max: 1_000 });
  readonly #untold = new Set<Quota>();
  #toldAt = -Infinity;

  constructor({ rateLimitPerSubject, rateLimitPerTenant }: Config, database: Database) {
    this.#perSubject = rateLimitPerSubject;
    this.#perTenant = rateLimitPerTenant;
    this.#policy = [rateLimitPerSubject, rateLimitPerTenant]
      .filter((rate) => rate > 0)
      .map((rate) => `${rate * WINDOW_SECONDS};w=${WINDOW_SECONDS}`)
      .join(', ');
    database.carry(() => this.#passenger());
  }

  /**
   * Counts this many URLs, or other calls, for a caller, and says in the answer's `RateLimit-*` what is left of the scarcer of both quotas
   * (draft-ietf-httpapi-ratelimit-headers-06).
   * @param authorization the header of the request, by which `refuseAgain` knows the caller
   * @throws ProblemError `rate-limited`, and nothing is counted
   */
  take(caller: Caller, count: number, answer: Answer | null = null, authorization?: string): void {
    const now = performance.now();
    const ofTenant = this.#quotaOf(caller.tenantId, null, this.#perTenant);
    const ofSubject = this.#quotaOf(caller.tenantId, caller.subject, this.#perSubject);
    const scarcer = scarcerOf(ofTenant, ofSubject, now);
    if (!scarcer) return;
    const isEnough = scarcer.left(now) >= count;
    if (isEnough) {
      for (const quota of [ofTenant, ofSubject]) {
        quota?.use(count, now);
        if (quota?.isWorthTelling) this.#untold.add(quota);
      }
    }
    if (answer) this.#describe(scarcer, now, answer);
    if (isEnough) return;
    if (authorization !== undefined) this.#refused.set(authorization, caller);
    throw refusal(scarcer, count, now);
  }

  /**
   * Refuses whoever came with this very header, was refused and still has nothing left: without asking anybody who that is, and after a pause, so
   * that a flood is as slow as its connections are few.
   * @returns a promise that rejects with the ProblemError `rate-limited`, or null where there is nothing to refuse
   */
  refuseAgain(authorization: string, answer: Answer): Promise<never> | null {
    if (this.#refused.size === 0) return null;
    const caller = this.#refused.get(authorization);
    if (!caller) return null;
    const now = performance.now();
    const ofTenant = this.#quotaOf(caller.tenantId, null, this.#perTenant);
    const scarcer = scarcerOf(ofTenant, this.#quotaOf(caller.tenantId, caller.subject, this.#perSubject), now);
    if (!scarcer || scarcer.left(now) > 0) {
      this.#refused.delete(authorization);
      return null;
    }
    this.#describe(scarcer, now, answer);
    return sleep(PAUSE_MS).then(() => Promise.reject(refusal(scarcer, 1, now)));
  }

  #quotaOf(tenantId: string, subject: string | null, perSecond: number): Quota | null {
    if (perSecond === 0) return null;
    // A subject is never empty, nor has it a line break.
    const id = subject === null ? tenantId : `${tenantId}\n${subject}`;
    let quota = this.#quotas.get(id);
    if (!quota) {
      quota = new Quota(tenantId, subject, perSecond * WINDOW_SECONDS, perSecond);
      this.#quotas.set(id, quota);
    }
    return quota;
  }

  #describe(quota: Quota, now: number, answer: Answer): void {
    answer.header('ratelimit-limit', String(quota.limit));
    answer.header('ratelimit-remaining', String(quota.left(now)));
    answer.header('ratelimit-reset', String(quota.secondsUntil(quota.limit, now)));
    answer.header('ratelimit-policy', this.#policy);
  }

  /** What goes along now, if anything does. */
  #passenger(): Passenger | null {
    const now = performance.now();
    if (this.#untold.size === 0 || now - this.#toldAt < TELL_MS) return null;
    this.#toldAt = now;
    const told = [...this.#untold].slice(0, MAX_TOLD).map((quota) => ({ quota, count: quota.tell() }));
    for (const { quota } of told) this.#untold.delete(quota);
    return {
      requests: told.map(({ quota: { tenantId, subject, perSecond }, count }) => ({
        tenantId,
        subject,
        perSecond,
        count,
      })),
      arrived: (used) => {
        for (const [n, { quota }] of told.entries()) quota.hear(used[n] ?? 0, performance.now());
      },
      lost: () => {
        for (const { quota, count } of told) quota.takeBack(count);
      },
    };
  }
}

function scarcerOf(ofTenant: Quota | null, ofSubject: Quota | null, now: number): Quota | null {
  return ofTenant && (!ofSubject || ofTenant.left(now) < ofSubject.left(now)) ? ofTenant : ofSubject;
}

function refusal(quota: Quota, count: number, now: number): ProblemError {
  const { subject, limit, perSecond } = quota;
  const who = subject === null ? 'This tenant' : 'This subject';
  const may = `${who} may ask for ${limit} URLs at once, or make as many other calls, and for ${perSecond} a second in the long run`;
  if (count > limit) return new ProblemError('rate-limited', `${may}. Ask for fewer at once.`);
  const retryAfterSeconds = quota.secondsUntil(count, now);
  return new ProblemError('rate-limited', `${may}: ${quota.left(now)} are left. Try again in ${retryAfterSeconds} s.`, {
    retryAfterSeconds,
  });
}
