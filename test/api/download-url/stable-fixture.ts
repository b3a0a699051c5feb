import { install, type Installation, type Tenant } from '../../support/installation.js';
import { callsBy } from '../calls.js';

/** What a download's answer has, as far as stable URLs go. */
export interface Answer {
  issuanceId: string;
  url: string;
  headers: Record<string, string>;
  issuedAt: string;
  expiresAt: string;
  expiresInSeconds: number;
  expiryLimitedBy: string | null;
  head?: { method: string; url: string; headers: Record<string, string> };
}

/** A row of the ledger as the auditor sees it, as far as stable URLs go. */
export interface Row {
  issuanceId: string;
  expiresAt: string;
  urlCount: number | null;
  stableUrls: string[];
  details: Record<string, unknown>;
}

/** Two replicas of the API, and a tenant whose people may read everything in its bucket. */
export class StableTest {
  private constructor(
    readonly replicas: [Installation, Installation],
    readonly tenant: Tenant,
  ) {}

  static async start(): Promise<StableTest> {
    const replicas = await Promise.all([install(), install()]);
    const tenant = await replicas[0].createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
    return new StableTest(replicas, tenant);
  }

  /** Another tenant, under whose signing key nothing is out yet. */
  async freshTenant(bucket: Record<string, unknown> = {}): Promise<Tenant> {
    const tenant = await this.replicas[0].createTenant(bucket);
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
    const brief = { action: 'read', minExpirySeconds: 1, defaultExpirySeconds: 4, maxExpirySeconds: 60 };
    await callsBy(this.replicas[0].api, tenant.admin).put('/use-cases/brief', brief).expect(201);
    return tenant;
  }

  async stop(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.close()));
  }

  /** A stable URL, from one of the replicas, for somebody. */
  async ask(request: object, { replica = 0, by = 'alice', tenant = this.tenant } = {}): Promise<Answer> {
    const calls = callsBy(this.replicas[replica]!.api, tenant.token(by));
    const body = { bucket: 'files', stable: true, ...request };
    return (await calls.post('/download-url', body).expect(201)).body as Answer;
  }

  /** Answers that were given within one window; `ask` is tried again where the window ended meanwhile. */
  async withinOneWindow(ask: () => Promise<Answer[]>): Promise<Answer[]> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const answers = await ask();
      if (new Set(answers.map(({ issuedAt }) => issuedAt)).size === 1) return answers;
    }
    throw new Error('a window ended in each attempt');
  }

  /** Of the tenant's one bucket, its active key. */
  async exposure(tenant = this.tenant): Promise<{ liveUrls: number; subjects: number; latestExpiresAt: string }> {
    const { body } = await callsBy(this.replicas[0].api, tenant.admin).get('/signing-keys').expect(200);
    return (body as { items: { exposure: never }[] }).items[0]!.exposure;
  }

  /** All rows of the ledger about a key of a tenant's, oldest first. */
  async rows(key: string, tenant = this.tenant): Promise<Row[]> {
    const rows: Row[] = [];
    let cursor: string | null = null;
    do {
      const query: Record<string, string> = { key, limit: '200', ...(cursor && { cursor }) };
      const { body } = await callsBy(this.replicas[0].api, tenant.auditor).get('/audit-events', query).expect(200);
      const page = body as { items: Row[]; nextCursor: string | null };
      rows.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return rows.toReversed();
  }
}
