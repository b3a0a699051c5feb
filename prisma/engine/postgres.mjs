import { once } from 'node:events';
import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import { Client, escapeIdentifier, Pool } from 'pg';

const CHAR_OID = 18;
const TEXT_OID = 25;

/** The database that a connection string names. */
export function databaseName(url) {
  return decodeURIComponent(new URL(url).pathname.slice(1));
}

/** Runs `use` with a connection of its own. */
export async function withClient(url, use) {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

export async function createDatabase(url) {
  const name = databaseName(url);
  await withClient(withDatabase(url, 'postgres'), (client) =>
    client.query(`CREATE DATABASE ${escapeIdentifier(name)}`),
  );
  return { databaseName: name };
}

export async function dropDatabase(url) {
  const name = escapeIdentifier(databaseName(url));
  await withClient(withDatabase(url, 'postgres'), (client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`));
}

/** What the WASM engine asks for connections: to the database itself and to a shadow database that lives for one comparison. */
export class MigrationAdapterFactory {
  provider = 'postgres';
  adapterName = '@prisma/adapter-pg';
  #url;

  constructor(url) {
    this.#url = url;
  }

  connect() {
    return openAdapter(this.#url);
  }

  // PrismaPg's own would connect its pool to the main database, since a connection string wins over `database`, and would
  // drop the shadow database while the pool is still connected to it.
  async connectToShadowDb() {
    const shadowUrl = withDatabase(this.#url, `prisma_migrate_shadow_db_${crypto.randomUUID()}`);
    // From template0: what somebody put into template1 is no part of the migrations.
    const sql = `CREATE DATABASE ${escapeIdentifier(databaseName(shadowUrl))} TEMPLATE template0`;
    await withClient(this.#url, (client) => client.query(sql));
    return openAdapter(shadowUrl, () => dropDatabase(shadowUrl));
  }
}

async function openAdapter(url, afterDispose = async () => {}) {
  // One connection that is never closed for being idle: the engine holds its advisory lock by the session.
  const pool = new Pool({ connectionString: url, max: 1, idleTimeoutMillis: 0 });
  // Without a listener the end of an idle connection would be an uncaught exception; the next query reports it anyway.
  pool.on('error', () => {});

  const adapter = await new PrismaPg(pool).connect();
  adapter.queryRaw = withCharColumns(adapter);
  // PrismaPg's own splits at every `;`, also inside a function's body. PostgreSQL takes a whole script. The engine wants no result.
  adapter.executeScript = async (script) => {
    await pool.query(script).catch((error) => adapter.onError(error));
  };
  adapter.dispose = async () => {
    await closePool(pool);
    await afterDispose();
  };
  return adapter;
}

/** PrismaPg refuses `"char"`, the type of many catalogue columns. The engine reads those, and wants them typed as characters. */
function withCharColumns(adapter) {
  const { performIO, queryRaw } = adapter;
  return async (query) => {
    let isChar = [];
    const performMappedIO = async (mappedQuery) => {
      const result = await performIO.call(adapter, mappedQuery);
      isChar = result.fields.map((field) => field.dataTypeID === CHAR_OID);
      for (const field of result.fields) if (field.dataTypeID === CHAR_OID) field.dataTypeID = TEXT_OID;
      return result;
    };
    const result = await queryRaw.call(Object.create(adapter, { performIO: { value: performMappedIO } }), query);
    return { ...result, columnTypes: result.columnTypes.map((t, i) => (isChar[i] ? ColumnTypeEnum.Character : t)) };
  };
}

/** Resolves once the server connection is closed too, which `pool.end()` alone does not wait for. */
async function closePool(pool) {
  const closed = pool.totalCount > 0 ? once(pool, 'remove') : undefined;
  await pool.end();
  await closed;
}

function withDatabase(url, name) {
  const result = new URL(url);
  result.pathname = `/${encodeURIComponent(name)}`;
  return result.href;
}
