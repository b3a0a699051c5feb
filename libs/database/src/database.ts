import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Config } from '@countersign/config';
import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { assertClocksAgree } from './clock-skew.js';
import { Coalescer } from './coalescer.js';
import { Prisma, PrismaClient } from './generated/client.js';

export type Transaction = Prisma.TransactionClient;

/** A function of the hot path. */
export type CallName = keyof typeof CALLS;

/** One call of the hot path that is over. */
export interface Call {
  name: CallName;
  /** How many requests it was made for. */
  requests: number;
  seconds: number;
  isFailed: boolean;
}

/** What quotas were used of: not worth a round trip of its own, it goes to the database with a look-up of issuers. */
export interface Passenger {
  requests: readonly object[];
  /** What `use_quotas` gives. One of the two is called, and must not throw. */
  arrived(used: number[]): void;
  lost(): void;
}

/** Connections of one role, and who waits for one. */
export interface PoolLoad {
  role: 'api' | 'issuer' | 'operator';
  max: number;
  total: number;
  idle: number;
  waiting: number;
}

/**
 * The database, by the three runtime roles of invariant 6. Each has connections of its own, with no rights but its own, so that a
 * query in the wrong place is refused by PostgreSQL and not by our care.
 */
@Injectable()
export class Database implements OnApplicationShutdown {
  readonly #pools = new Map<PoolLoad['role'], pg.Pool>();
  readonly #queues = new Map<CallName, { queued: number }>();
  readonly #api: PrismaClient;
  readonly #issuer: PrismaClient;
  readonly #operator: PrismaClient;
  readonly #hotPath: pg.Pool;
  #board: () => Passenger | null = () => null;

  /** Hears of every call of the hot path, once it is over. It must be quick, and must not throw. */
  onCall: (call: Call) => void = () => undefined;

  constructor(config: Config) {
    const connections = config.databaseConnections;
    this.#hotPath = this.#open('issuer', config.databaseIssuerUrl, connections);
    this.#issuer = connect(this.#hotPath);
    this.#api = connect(this.#open('api', config.databaseApiUrl, Math.max(2, Math.floor(connections / 4))));
    this.#operator = connect(this.#open('operator', config.databaseOperatorUrl, 4));
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

  /**
   * One call of a function of the hot path, as the issuer: JSON in, JSON out. By the pool that Prisma's adapter has too, and past Prisma, which
   * would take as long as all the rest (docs/decisions/0011).
   * @param served how many requests it is made for, where several ask the same
   * @throws ClockSkewError where our clock and the database's disagree. Every request that needs a token begins with such a call, so that nothing is
   * issued without this check, and no token judged
   */
  async call<Row>(name: CallName, requests: readonly object[], served = requests.length): Promise<Row[]> {
    const startedAt = performance.now();
    const askedAt = Date.now();
    const passenger = name === 'find_issuers' ? this.#board() : null;
    let isFailed = true;
    try {
      const values = [JSON.stringify(requests)];
      if (passenger) values.push(JSON.stringify(passenger.requests));
      const statement = passenger ? CARRYING : CALLS[name];
      const { rows } = await this.#hotPath.query<[string | null, number, string?]>({ ...statement, values });
      assertClocksAgree(rows[0]?.[1] ?? NaN, askedAt);
      isFailed = false;
      passenger?.arrived(JSON.parse(rows[0]?.[2] ?? '[]') as number[]);
      return JSON.parse(rows[0]?.[0] ?? '[]') as Row[];
    } finally {
      if (isFailed) passenger?.lost();
      this.onCall({ name, requests: served, seconds: (performance.now() - startedAt) / 1000, isFailed });
    }
  }

  /** From now on `board` is asked at each call of `find_issuers` whether something is to go along, in the same statement. */
  carry(board: () => Passenger | null): void {
    this.#board = board;
  }

  /** A coalescer whose batches are calls of this function. */
  coalescer<Request, Result>(
    name: CallName,
    load: (requests: readonly Request[]) => Promise<readonly Result[]>,
    atOnce: number,
  ): Coalescer<Request, Result> {
    const coalescer = new Coalescer(load, atOnce);
    this.#queues.set(name, coalescer);
    return coalescer;
  }

  /** The connections at this moment. */
  get pools(): PoolLoad[] {
    return [...this.#pools].map(([role, pool]) => ({
      role,
      max: pool.options.max,
      total: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }));
  }

  /** How many requests of the hot path wait for a batch at this moment. */
  get queues(): { name: CallName; queued: number }[] {
    return [...this.#queues].map(([name, { queued }]) => ({ name, queued }));
  }

  /**
   * The names of the migrations that stand in the database; also the shortest proof that it answers.
   * @throws ClockSkewError
   */
  async appliedMigrations(): Promise<string[]> {
    const askedAt = Date.now();
    const rows = await this.#issuer.$queryRaw<
      { name: string; at: number }[]
    >`SELECT applied_migrations AS name, extract(epoch FROM clock_timestamp())::float8 AS at FROM applied_migrations()`;
    if (rows[0]) assertClocksAgree(rows[0].at, askedAt);
    return rows.map((row) => row.name);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.#api, this.#issuer, this.#operator].map((client) => client.$disconnect()));
    await Promise.all([...this.#pools.values()].map((pool) => pool.end()));
  }

  #open(role: PoolLoad['role'], connectionString: string, max: number): pg.Pool {
    const pool = new pg.Pool({
      connectionString,
      max,
      connectionTimeoutMillis: 3_000,
      statement_timeout: 10_000,
      // Of a database that has gone silent none of the above comes: then it is we who stop waiting.
      query_timeout: 12_000,
      keepAlive: true,
    });
    // An idle connection that dies is replaced; without a listener it would take the process with it.
    pool.on('error', () => undefined);
    this.#pools.set(role, pool);
    return pool;
  }
}

function connect(pool: pg.Pool): PrismaClient {
  return new PrismaClient({
    adapter: new PrismaPg(pool, { statementNameGenerator: statementNames() }),
    errorFormat: 'minimal',
  });
}

/**
 * A prepared statement; its answer is one row: a text, the database's time, and what `more` gives. The function's parameter is named, and has another
 * name where it means something else: an older function is then not found, and does not write what it cannot read.
 */
const call = (name: string, { parameter = 'requests', aggregated = 'r', more = '' } = {}) =>
  ({
    name: `${name}${more === '' ? '' : ' and more'}`,
    text: `SELECT json_agg(${aggregated})::text, extract(epoch FROM clock_timestamp())::float8${more} FROM ${name}(${parameter} => $1::jsonb) r`,
    rowMode: 'array',
  }) as const;

const CALLS = {
  find_issuers: call('find_issuers'),
  find_tenants: call('find_tenants'),
  find_holdings: call('find_holdings', { parameter: 'places' }),
  append_to_ledger: call('append_to_ledger', { parameter: 'written', aggregated: 'r.n' }),
  find_idempotency_keys: call('find_idempotency_keys'),
  append_once: call('append_once'),
};

const CARRYING = call('find_issuers', { more: ', (SELECT use_quotas($2::jsonb)::text)' });

/** Prepared statements, nearly twice as fast, of the few texts that run often; bounded, since each costs memory on every connection. */
function statementNames(): ({ sql }: { sql: string }) => string {
  const names = new Map<string, string>();
  return ({ sql }) => {
    if (!names.has(sql) && names.size < 200) names.set(sql, `s${names.size}`);
    return names.get(sql) ?? '';
  };
}
