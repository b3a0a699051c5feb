import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Response, Test } from 'supertest';
import { asOwner, callsBy } from '../api/calls.js';
import { type Followed, RotationTest } from '../api/rotations/rotation-fixture.js';
import { type BuiltApi, startBuiltApi } from '../support/built-program.js';
import type { Tenant } from '../support/installation.js';
import { addressOf, type Ask, Crowd } from './load/crowd.js';
import { issuancesOf, NO_STORE, sizeOf } from './load/issuances.js';
import { proof } from './record.js';
import { scale } from './scale.js';

const PROMISE = 'What is taken away counts from the next request on';
const ATTACK =
  'asking two replicas, singly and in batches, before, while and after one of them makes the change, again and again';

const grants = proof(`${PROMISE}: a grant`, ATTACK, 'Tenancy keeps what it read for half a second');
const keys = proof(
  `${PROMISE}: a signing key`,
  `${ATTACK}; then the ledger is counted by signing key`,
  'append_to_ledger without its check that the key is active',
);
const tenants = proof(`${PROMISE}: a tenant`, ATTACK, 'Issuers keeps what it read for half a second');

/** How many issuances are under way around one change, and how often it is made. */
const IN_FLIGHT = scale({ short: 300, full: 10_000 });
const CHANGES = scale({ short: 2, full: 3 });

/** Attack: who was thrown out is quicker than the change, or asks where it is not known yet. */
describe('What is taken away is gone for the very next request', () => {
  let t: RotationTest;
  let replica: BuiltApi;
  let crowd: Crowd<Asked> | undefined;

  beforeAll(async () => {
    t = await RotationTest.start();
    // In a process of its own: two in one process share what Passport knows.
    replica = await startBuiltApi({ ...process.env, NODE_ENV: 'test', LOG_LEVEL: 'error', RECONCILE_UPLOADS: 'false' });
  }, 180_000);
  afterAll(async () => {
    await replica.kill();
    await t.stop();
  });

  let race: Race;
  beforeEach(() => {
    race = new Race();
  });
  afterEach(() => crowd?.stop());

  const start = (tenant: Tenant): Crowd<Asked> => {
    const addresses = [addressOf(t.installation), replica.url];
    const next = issuancesOf(tenant);
    return (crowd = new Crowd<Asked>({
      lanes: 48,
      to: () => addresses[race.asked % addresses.length] ?? '',
      next: (n) => race.asks(next(n)),
      hear: ({ text }, ask) => race.hears(ask, text),
    }));
  };

  it('a grant: 0 late', async () => {
    const tenant = await t.installation.createTenant(NO_STORE);
    // Who has no grant at all is told of no bucket; who lacks this one is refused in two ways, then.
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'elsewhere/' });
    const admin = callsBy(t.installation.api, tenant.admin);
    const everyone = {
      bucket: 'files',
      subject: { type: 'everyone' },
      prefix: 'users/{sub}/',
      actions: ['read', 'write'],
    };
    let id = await tenant.grant(everyone);
    const crowd = start(tenant);
    for (let change = 0; change < CHANGES; change++) {
      await race.isOn();
      await insist(() => admin.delete(`/grants/${id}`), 204);
      race.takenAway();
      await race.isOver();
      await crowd.turnsOver();
      race.givenBack();
      id = ((await insist(() => admin.post('/grants', everyone), 201)).body as { id: string }).id;
    }
    await crowd.stop();

    expect(race.late).toEqual([]);
    expect(race.refused).toBeGreaterThan(0);
    grants.record(race.outcome);
  }, 300_000);

  it('a tenant: 0 late', async () => {
    const tenant = await t.installation.createTenant(NO_STORE);
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    const operator = callsBy(t.installation.api, t.installation.operator);
    const crowd = start(tenant);
    for (let change = 0; change < CHANGES; change++) {
      await race.isOn();
      await insist(() => operator.patch(`/tenants/${tenant.slug}`, { state: 'suspended' }), 200);
      race.takenAway();
      await race.isOver();
      await crowd.turnsOver();
      race.givenBack();
      await insist(() => operator.patch(`/tenants/${tenant.slug}`, { state: 'active' }), 200);
    }
    await crowd.stop();

    expect(race.late).toEqual([]);
    expect(race.refused).toBeGreaterThan(0);
    tenants.record(race.outcome);
  }, 300_000);

  it('a signing key: 0 late, and none is signed by it after it was counted', async () => {
    await t.useKeyIssuer();
    const rotations: Followed[] = [];
    for (let change = 0; change < CHANGES; change++) {
      const crowd = start(t.tenant);
      await race.isOn();
      const [old] = await asOwner<{ name: string }>(
        `SELECT k.access_key_id AS name FROM signing_keys k JOIN tenants t ON t.id = k.tenant_id WHERE t.slug = $1 AND k.state = 'active'`,
        [t.tenant.slug],
      );
      const { id } = (await insist(() => t.rotate('immediate'), 202)).body as Followed;
      race.takenAway((signer) => signer === old?.name);
      await race.isOver();
      await crowd.turnsOver();
      // Until the new key signs there is nothing to race with.
      await crowd.stop();
      rotations.push(await t.until(id, ({ state }) => state === 'done' || state === 'needs-operator', 120_000));
    }

    expect(race.late).toEqual([]);
    expect(race.refused).toBeGreaterThan(0);
    const rows = await asOwner<{ id: string; issued: number }>(
      `SELECT signing_key_id AS id, count(*)::integer AS issued FROM ledger
        WHERE subject LIKE 'user-%' AND signing_key_id = ANY ($1) GROUP BY 1`,
      [rotations.map(({ signingKeyId }) => signingKeyId)],
    );
    const issued = new Map(rows.map((row) => [row.id, row.issued]));
    for (const { signingKeyId, exposure, state } of rotations)
      expect([state, exposure.before.liveUrls]).toEqual(['done', issued.get(signingKeyId ?? '')]);
    keys.record(race.outcome);
  }, 300_000);
});

/** A busy machine may answer 503, and then nothing was changed: asked again, as any client does. */
async function insist(call: () => Test, status: number): Promise<Response> {
  for (;;) {
    const response = await call();
    if (response.status === status) return response;
    if (response.status !== 503) throw new Error(`${response.status} ${response.text}`);
    await sleep(50);
  }
}

interface Asked extends Ask {
  /** What was taken away by the time of asking: no answer may have any of it. */
  gone: Gone | null;
}

/** Of a URL, by the access key that signed it. */
type Gone = (signer: string) => boolean;

/** Who asked when, and what of it came too late. */
class Race {
  asked = 0;
  refused = 0;
  readonly late: string[] = [];
  #changes = 0;
  #issuances = 0;
  #gone: Gone | null = null;
  readonly #givenBack = new Set<Gone>();

  asks(ask: Ask): Asked {
    this.asked++;
    this.#issuances += sizeOf(ask);
    return { ...ask, gone: this.#gone };
  }

  hears({ gone }: Asked, text: string): void {
    const signers = signersIn(text);
    if (signers.length === 0) this.refused++;
    if (gone === null || this.#givenBack.has(gone)) return;
    this.late.push(...signers.filter((signer) => gone(signer)));
  }

  /** Until half of those that are to be in flight around a change have been asked for. */
  async isOn(): Promise<void> {
    const enough = this.#issuances + IN_FLIGHT / 2;
    while (this.#issuances < enough) await sleep(1);
  }

  /** By the answer that has just come: whoever asks from now on gets none of these. */
  takenAway(gone: Gone = () => true): void {
    this.#changes++;
    this.#gone = gone;
  }

  /** Until the other half was asked for. */
  isOver(): Promise<void> {
    return this.isOn();
  }

  /** It is about to be: an answer that is on its way may have it again. */
  givenBack(): void {
    if (this.#gone) this.#givenBack.add(this.#gone);
    this.#gone = null;
  }

  get outcome(): { cases: number; figure: string } {
    const figure = `0 late, ${this.#changes} changes, each against ${IN_FLIGHT.toLocaleString('en')} issuances in flight`;
    return { cases: this.#issuances, figure };
  }
}

/** Of each URL and each form in an answer, the access key that signed it. */
const signersIn = (text: string): string[] =>
  [...text.matchAll(/X-Amz-Credential=([^%"&]+)|"x-amz-credential":"([^/"]+)/gi)].map(
    ([, url, form]) => url ?? form ?? '',
  );
