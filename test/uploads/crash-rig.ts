import { createHash, createPrivateKey, createPublicKey, type JsonWebKey, randomBytes, randomUUID } from 'node:crypto';
import { asOwner } from '@countersign/database';
import jwt from 'jsonwebtoken';
import request from 'supertest';
import { type BuiltApi, startBuiltApi } from '../support/built-program.js';
import { createTenant, type Tenant } from '../support/installation.js';
import { openDatabaseDoor } from './database-door.js';
import { ReconcilerRig, type Replica, type RigBucket } from './reconciler-rig.js';
import { type Door, openStoreDoor, type Step } from './store-door.js';

/** Two parts, the second one short. */
const CONTENT = Buffer.concat([randomBytes(8 * 1024 ** 2), Buffer.from('hello')]);
const CHECKSUM = createHash('sha256').update(CONTENT).digest('base64');
const PART_BYTES = 8 * 1024 ** 2;

/** How an upload goes if nobody dies, and what is done after the death: the same again, the other thing, or nothing, ever. */
export interface Plan {
  course: 'completed' | 'aborted';
  /** Which step of the API's process is its last, from 0; null: none. */
  diesAt: number | null;
  afterwards: 'again' | 'abort' | 'nothing';
  /** Whether the client sends an Idempotency-Key with what it asks for, and the same one when it asks again. */
  isIdempotent?: boolean;
}

export interface Outcome {
  plan: Plan;
  /** What the API's process asked for and was answered, as long as it lived. */
  steps: string[];
  /** What is not as it must be, in words. */
  found: string[];
}

/** The API did not live to answer. */
class Died extends Error {}

/**
 * The built API in processes of its own, which reach store and database by doors: at any step through one of these a process can be killed, by
 * SIGKILL, before what it asks for gets there, or before it hears what came of it.
 */
export class CrashRig {
  /** Started ahead, in a state like that after a restart. */
  readonly #spares: Promise<BuiltApi>[] = [];
  #api: BuiltApi | null = null;
  #steps: string[] | null = null;
  #diesAt: number | null = null;
  #death: Promise<void> | null = null;

  private constructor(
    readonly rig: ReconcilerRig,
    private readonly replica: Replica,
    private readonly doors: Door[],
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  static async start({ spares = 2 } = {}): Promise<CrashRig> {
    const rig = await ReconcilerRig.start();
    const heard = (step: Step): Promise<boolean> => crashRig.#hear(step);
    const database = await openDatabaseDoor(rig.database.ownerUrl, heard);
    const store = await openStoreDoor(process.env['STORAGE_ENDPOINT'] ?? '', heard);
    const urls = Object.entries(rig.database.env).map(([name, url]) => [
      name,
      url.replace(/@[^/]+/, `@${database.address}`),
    ]);
    const settings = { ENCRYPTION_KEYS: process.env['ENCRYPTION_KEYS'], NODE_ENV: 'test', LOG_LEVEL: 'warn' };
    const env = { ...Object.fromEntries(urls), ...settings, RECONCILE_UPLOADS: 'false' } as NodeJS.ProcessEnv;
    const crashRig: CrashRig = new CrashRig(rig, rig.replica(), [database, store], env);
    for (let n = 0; n < spares; n++) crashRig.#spares.push(startBuiltApi(env));
    return crashRig;
  }

  async close(): Promise<void> {
    const apis = await Promise.all(this.#spares);
    for (const api of [...apis, ...(this.#api ? [this.#api] : [])]) await api.kill();
    for (const door of this.doors) await door.close();
    await this.rig.close();
  }

  /** What the API and the command are told. */
  get environment(): NodeJS.ProcessEnv {
    return this.env;
  }

  get storeDoor(): string {
    return this.doors[1]?.address ?? '';
  }

  /** From now on, the process that `kill` kills dies at that step; what is given ends that, and gives the steps so far. */
  watch(diesAt: number | null, kill: () => Promise<void>): () => string[] {
    const steps: string[] = [];
    this.#steps = steps;
    this.#diesAt = diesAt;
    this.#kill = kill;
    return () => {
      this.#steps = null;
      return steps;
    };
  }
  #kill: () => Promise<void> = () => Promise.resolve();

  /** Of the API that runs now. */
  async url(): Promise<string> {
    return (await this.#running()).url;
  }

  /** Of another one beside it, which nobody kills. */
  async anotherUrl(): Promise<string> {
    return (await (this.#spares[0] ?? startBuiltApi(this.env))).url;
  }

  /** A tenant whose people each have a folder of their own, in a bucket that the API reaches by the door, and everybody else past it. */
  async makeTenant(endpoint = this.storeDoor): Promise<{ tenant: Tenant; bucket: RigBucket }> {
    const api = await this.#running();
    const keyPrefix = `${randomUUID()}/`;
    const publicEndpoint = process.env['STORAGE_ENDPOINT'];
    const registration = { endpoint, publicEndpoint, keyPrefix };
    const tenant = await createTenant(request(api.url), await this.#operator(), registration);
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    const [row] = await this.rig.database.query<{ tenant_id: string; id: string }>(
      'SELECT tenant_id, id FROM buckets WHERE key_prefix = $1',
      [keyPrefix],
    );
    return { tenant, bucket: { tenantId: row?.tenant_id ?? '', bucketId: row?.id ?? '', keyPrefix } };
  }

  /** One upload, by a client whose API dies as planned, and all that follows until nothing is left to do. */
  async run(plan: Plan, { tenant, bucket }: { tenant: Tenant; bucket: RigBucket }): Promise<Outcome> {
    const upload = new ClientsUpload(tenant, () => this.url(), plan.isIdempotent);
    await this.#running();
    const watched = this.watch(plan.diesAt, async () => {
      await this.#api?.kill();
      this.#api = null;
    });
    const died = await upload.go(plan.course).then(
      () => false,
      (error: unknown) => {
        if (error instanceof Died) return true;
        throw error;
      },
    );
    const steps = watched();
    await this.#death;
    const found: string[] = [];
    if (died !== (plan.diesAt !== null)) found.push(died ? 'it died' : 'it did not die');

    // The lease of the dead: its time passes.
    await this.rig.database.query('UPDATE uploads SET lease_until = now() WHERE lease IS NOT NULL');
    if (died && plan.afterwards !== 'nothing')
      await upload.go(plan.afterwards === 'again' ? plan.course : 'aborted').catch(keep(found));
    const isVerified = upload.isVerified;
    found.push(...(await this.afterwards(bucket)));
    const kept = await this.rig.keys(bucket);
    if (isVerified && !kept.includes(upload.key)) found.push('it was verified, and is gone');
    const aborted = plan.afterwards === 'abort' || plan.course === 'aborted';
    if (!isVerified && plan.afterwards === 'again' && !aborted) found.push('it could not be completed');
    if (plan.isIdempotent) found.push(...(await this.#issuedTwice(upload.key)));
    await this.rig.empty(bucket);
    return { plan, steps, found };
  }

  /** What is due now, by a replica that nobody kills. */
  async reconcile(): Promise<void> {
    await this.replica.reconcile();
  }

  /** Whatever there is to wait for comes, and is reconciled; then nothing may be left of what nobody has verified. */
  async afterwards(bucket: RigBucket, eventsOf = (state: string) => `upload.${state}`): Promise<string[]> {
    const found: string[] = [];
    for (const seconds of [61, 3_600, 3_600, 6 * 3_600, 24 * 3_600]) {
      await this.rig.timePasses(bucket, seconds);
      await this.replica.reconcile();
    }
    for (const name of await this.rig.begun(bucket)) found.push(`a multipart upload is left at the store: ${name}`);
    const rows = await this.rig.database.query<{ id: string; state: string; key: string; isStuck: boolean }>(
      `SELECT id, state::text, key, lease IS NOT NULL OR due_at <= now() OR attempts > 0 OR withheld AS "isStuck"
         FROM uploads WHERE bucket_id = $1`,
      [bucket.bucketId],
    );
    const verified = new Set(rows.flatMap(({ state, key }) => (state === 'verified' ? key : [])));
    const keys = await this.rig.keys(bucket);
    for (const key of keys) if (!verified.has(key)) found.push(`an object is left that nobody has verified: ${key}`);
    for (const key of verified) if (!keys.includes(key)) found.push(`a verified object is gone: ${key}`);
    for (const { id, state, isStuck } of rows) {
      if (isStuck || !ENDS.has(state)) found.push(`a row is stuck: ${state}`);
      const events = await this.#events(id);
      if (events !== eventsOf(state)) found.push(`${state}, and on record as ${events}`);
    }
    return found;
  }

  async #issuedTwice(key: string): Promise<string[]> {
    const rows = await this.rig.database.query<{ action: string; n: number }>(
      `SELECT action, count(*)::int AS n FROM ledger WHERE key = $1 AND action IN ('upload-url', 'upload-parts') GROUP BY action`,
      [key],
    );
    return rows.filter(({ n }) => n !== 1).map(({ action, n }) => `${action} is on record ${n} times`);
  }

  async #events(id: string): Promise<string> {
    const rows = await this.rig.database.query<{ action: string }>(
      `SELECT action FROM ledger WHERE details ->> 'uploadId' = $1 AND action LIKE 'upload.%' ORDER BY at, id`,
      [id],
    );
    return rows.map(({ action }) => action).join(', ');
  }

  async #hear({ what, when }: Step): Promise<boolean> {
    if (!this.#steps) return true;
    const n = this.#steps.push(`${when} ${what}`) - 1;
    if (n !== this.#diesAt) return true;
    this.#death = this.#kill();
    await this.#death;
    return false;
  }

  /** The API that runs, or the one that was started after it had died. */
  async #running(): Promise<BuiltApi> {
    if (this.#api) return this.#api;
    const spare = this.#spares.shift() ?? startBuiltApi(this.env);
    this.#api = await spare;
    this.#spares.push(startBuiltApi(this.env));
    return this.#api;
  }

  /** The platform's issuer, made once; gives a token of its operator. */
  async #operator(): Promise<string> {
    const jwk = JSON.parse(process.env['TEST_PLATFORM_KEY'] ?? '') as JsonWebKey;
    const key = createPrivateKey({ key: jwk, format: 'jwk' });
    const issuer = { issuer: 'https://platform.test', audience: 'countersign' };
    const publicKey = { ...createPublicKey(key).export({ format: 'jwk' }), kid: 'platform', alg: 'ES256', use: 'sig' };
    await asOwner(this.rig.database.ownerUrl, async (transaction) => {
      if ((await transaction.issuer.count({ where: issuer })) > 0) return;
      const { id: tenantId } = await transaction.tenant.create({ data: { slug: 'platform', name: 'Platform' } });
      const data = { tenantId, ...issuer, jwks: { keys: [publicKey] }, algorithms: ['ES256'], platform: true };
      await transaction.issuer.create({ data });
    });
    const claims = { iss: issuer.issuer, aud: issuer.audience, sub: 'operator', scope: 'admin:platform' };
    return jwt.sign(claims, key, { algorithm: 'ES256', keyid: 'platform', expiresIn: '1h' });
  }
}

const ENDS = new Set(['verified', 'rejected', 'expired', 'aborted']);

const keep =
  (found: string[]) =>
  (error: unknown): void =>
    void found.push(String(error));

/** Alice's upload of one object, which she goes on with wherever it stands: what she was told of it she knows. */
class ClientsUpload {
  readonly key = `users/alice/${randomUUID()}`;
  isVerified = false;
  #id: string | null = null;

  constructor(
    private readonly tenant: Tenant,
    private readonly api: () => Promise<string>,
    private readonly isIdempotent = false,
  ) {}

  async go(course: Plan['course']): Promise<void> {
    // Nobody told her that there is anything to abort.
    if (this.#id === null && course === 'aborted' && this.#hasBegun) return;
    if (this.#id === null) await this.#begin();
    const { state } = (await this.#call('GET', `/uploads/${this.#id}`, undefined, [200])) as { state: string };
    if (state === 'pending') await this.#putParts();
    if (course === 'completed') await this.#complete();
    else await this.#abort();
  }
  #hasBegun = false;

  async #begin(): Promise<void> {
    this.#hasBegun = true;
    const content = { contentType: 'text/plain', contentLength: CONTENT.length, checksumSha256: CHECKSUM };
    const wish = { bucket: 'files', key: this.key, mode: 'multipart', ...content };
    const { uploadId } = (await this.#call('POST', '/upload-url', wish, [201])) as { uploadId: string };
    this.#id = uploadId;
  }

  async #putParts(): Promise<void> {
    const path = `/uploads/${this.#id}/parts`;
    const { parts: there } = (await this.#call('GET', path, undefined, [200, 409])) as {
      parts?: { partNumber: number }[];
    };
    // The store has put them together already, and whoever was to record that has died.
    if (!there) return;
    const partNumbers = [1, 2].filter((number) => !there.some(({ partNumber }) => partNumber === number));
    if (partNumbers.length === 0) return;
    const { parts } = (await this.#call('POST', path, { partNumbers }, [200])) as { parts: PartUrl[] };
    for (const { partNumber, url, headers } of parts) {
      const body = CONTENT.subarray((partNumber - 1) * PART_BYTES, partNumber * PART_BYTES);
      const { status } = await fetch(url, { method: 'PUT', headers, body });
      if (status !== 200) throw new Error(`the store refused part ${partNumber}: ${status}`);
    }
  }

  async #complete(): Promise<void> {
    const completed = (await this.#call('POST', `/uploads/${this.#id}/completion`, undefined, [200])) as object;
    const again = (await this.#call('POST', `/uploads/${this.#id}/completion`, undefined, [200])) as object;
    const { state } = completed as { state: string };
    if (state !== 'verified' || JSON.stringify(completed) !== JSON.stringify(again)) {
      throw new Error(`it is ${JSON.stringify(completed)}, and then ${JSON.stringify(again)}`);
    }
    this.isVerified = true;
  }

  /** Of one that was verified before the death, nothing can be aborted. */
  async #abort(): Promise<void> {
    const answer = (await this.#call('DELETE', `/uploads/${this.#id}`, undefined, [204, 409])) as {
      code?: string;
    } | null;
    if (answer === null) return;
    const { state } = (await this.#call('GET', `/uploads/${this.#id}`, undefined, [200])) as { state: string };
    if (answer.code !== 'wrong-state' || state !== 'verified') throw new Error(`it is ${state}, and cannot be aborted`);
    this.isVerified = true;
  }

  async #call(method: string, path: string, body: object | undefined, expected: number[]): Promise<unknown> {
    const url = `${await this.api()}${path}`;
    const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
    const once: Record<string, string> = this.isIdempotent
      ? { 'idempotency-key': `${path} of ${this.key}`.replaceAll(' ', '-') }
      : {};
    const headers = { authorization: `Bearer ${this.tenant.token('alice')}`, ...type, ...once };
    const response = await fetch(url, { method, headers, body: JSON.stringify(body) }).catch(() => {
      throw new Died();
    });
    const text = await response.text().catch(() => {
      throw new Died();
    });
    if (!expected.includes(response.status)) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
  }
}

interface PartUrl {
  partNumber: number;
  url: string;
  headers: Record<string, string>;
}
