import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Config } from '@countersign/config';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { Prisma, PrismaClient } from './generated/client.js';

export type Transaction = Prisma.TransactionClient;

/**
 * The database, by the three runtime roles of invariant 6. Each has connections of its own, with no rights but its own, so that a
 * query in the wrong place is refused by PostgreSQL and not by our care.
 */
@Injectable()
export class Database implements OnApplicationShutdown {
  readonly #pools: pg.Pool[] = [];
  readonly #api: PrismaClient;
  readonly #issuer: PrismaClient;
  readonly #operator: PrismaClient;

  constructor(config: Config) {
    const connections = config.databaseConnections;
    this.#api = this.#connect(config.databaseApiUrl, Math.max(2, Math.floor(connections / 4)));
    this.#issuer = this.#connect(config.databaseIssuerUrl, connections);
    this.#operator = this.#connect(config.databaseOperatorUrl, 2);
  }

  /** One transaction of administration, in which row-level security shows this tenant's rows and no others. */
  asTenant<T>(tenantId: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#api.$transaction(async (transaction) => {
      await transaction.$queryRaw`SELECT set_config('countersign.tenant_id', ${tenantId}, true)`;
      return work(transaction);
    });
  }

  /** One transaction across tenants, for a platform's operator. */
  asOperator<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.#operator.$transaction(work);
  }

  /** One call of a function of the hot path: JSON in, rows out. */
  call<Row>(name: keyof typeof CALLS, requests: readonly object[]): Promise<Row[]> {
    return this.#issuer.$queryRaw<Row[]>(CALLS[name](JSON.stringify(requests)));
  }

  /** The names of the migrations that stand in the database; also the shortest proof that it answers. */
  async appliedMigrations(): Promise<string[]> {
    const rows = await this.#issuer.$queryRaw<
      { name: string }[]
    >`SELECT applied_migrations AS name FROM applied_migrations()`;
    return rows.map((row) => row.name);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.#api, this.#issuer, this.#operator].map((client) => client.$disconnect()));
    await Promise.all(this.#pools.map((pool) => pool.end()));
  }

  #connect(connectionString: string, max: number): PrismaClient {
    const pool = new pg.Pool({
      connectionString,
      max,
      connectionTimeoutMillis: 3_000,
      statement_timeout: 10_000,
      keepAlive: true,
    });
    // An idle connection that dies is replaced; without a listener it would take the process with it.
    pool.on('error', () => undefined);
    this.#pools.push(pool);
    return new PrismaClient({
      adapter: new PrismaPg(pool, { statementNameGenerator: statementNames() }),
      errorFormat: 'minimal',
    });
  }
}

const CALLS = {
  find_issuers: (requests: string) => Prisma.sql`SELECT n, issuer FROM find_issuers(${requests}::jsonb)`,
  find_tenants: (requests: string) => Prisma.sql`SELECT n, tenant FROM find_tenants(${requests}::jsonb)`,
  find_holdings: (requests: string) => Prisma.sql`SELECT n, holding FROM find_holdings(${requests}::jsonb)`,
  append_to_ledger: (requests: string) => Prisma.sql`SELECT n, at FROM append_to_ledger(${requests}::jsonb)`,
};

/** Prepared statements, nearly twice as fast, of the few texts that run often; bounded, since each costs memory on every connection. */
function statementNames(): ({ sql }: { sql: string }) => string {
  const names = new Map<string, string>();
  return ({ sql }) => {
    if (!names.has(sql) && names.size < 200) names.set(sql, `s${names.size}`);
    return names.get(sql) ?? '';
  };
}
