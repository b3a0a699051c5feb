import { randomUUID } from 'node:crypto';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { asOwner, callsBy } from '../calls.js';

/** Two replicas of the API on one database, and a tenant whose users have a folder each. */
export class Replicas {
  private constructor(
    readonly installations: readonly Installation[],
    readonly tenant: Tenant,
  ) {}

  static async start(bucket: Record<string, unknown> = {}): Promise<Replicas> {
    const installations = [await install(), await install()];
    const tenant = await installations[0]!.createTenant(bucket);
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    const free = { action: 'any', minExpirySeconds: 1, defaultExpirySeconds: 600, maxExpirySeconds: 3600 };
    await callsBy(installations[0]!.api, tenant.admin)
      .put('/use-cases/free', { ...free, overwrite: true })
      .expect(201);
    return new Replicas(installations, tenant);
  }

  /** One request with a key, by the token of this subject or by a token; of many, each replica gets its share. */
  ask(path: string, key: string, body: object, { by = 'alice', at = 0 }: { by?: string; at?: number } = {}) {
    const { api } = this.installations[at % this.installations.length]!;
    const token = by.includes('.') ? by : this.tenant.token(by);
    return callsBy(api, token).post(path, body).set('Idempotency-Key', key);
  }

  /** The same request so often at once. */
  async atOnce(times: number, path: string, key: string, body: object, by = 'alice') {
    return Promise.all(Array.from({ length: times }, (_, at) => this.ask(path, key, body, { by, at }).then(answered)));
  }

  /** What the ledger has of these object keys, oldest first. */
  async rows(prefix: string): Promise<string[]> {
    const rows = await asOwner<{ row: string }>(
      `SELECT concat_ws(' ', action, decision, reason) AS row FROM ledger
        WHERE starts_with(key, $1) AND action NOT LIKE 'grant.%' ORDER BY at, id`,
      [prefix],
    );
    return rows.map(({ row }) => row);
  }

  /** What is kept under a key, as it is stored. */
  async kept(key: string): Promise<{ issuances: Record<string, string> | null; answer: string | null }[]> {
    return asOwner('SELECT * FROM idempotency_keys WHERE key = $1', [key]);
  }

  /** A grant of one's own for an object key, and how to take it back. */
  async grantOn(key: string): Promise<() => Promise<unknown>> {
    const id = await this.tenant.grant({ subject: { type: 'everyone' }, key });
    return () => callsBy(this.installations[0]!.api, this.tenant.admin).delete(`/grants/${id}`).expect(204);
  }

  async stop(): Promise<void> {
    for (const installation of this.installations) await installation.close();
  }
}

const answered = ({ status, text }: { status: number; text: string }) => ({ status, text });

export const freshKey = (): string => randomUUID();
