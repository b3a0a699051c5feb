import pg from 'pg';
import type { Api } from '../support/installation.js';

/** Calls by one token, as a client makes them. */
export function callsBy(api: Api, token: string) {
  const bearer = { type: 'bearer' } as const;
  return {
    get: (path: string, query: string | Record<string, string> = {}) => api.get(path).query(query).auth(token, bearer),
    post: (path: string, body: object | string) => api.post(path).auth(token, bearer).send(body),
    /** These bytes as they are, said to be JSON. */
    postBytes: (path: string, bytes: Buffer | string) =>
      api
        .post(path)
        .auth(token, bearer)
        .set('content-type', 'application/json')
        .serialize((body) => body as string)
        .send(bytes),
    put: (path: string, body: object | string) => api.put(path).auth(token, bearer).send(body),
    patch: (path: string, body: object | string) => api.patch(path).auth(token, bearer).send(body),
    delete: (path: string) => api.delete(path).auth(token, bearer),
  };
}

export type Calls = ReturnType<typeof callsBy>;

/** An answer's bytes, but for the one thing in them that must differ from answer to answer. */
export function bytesOf({ text }: { text: string }): string {
  return text.replace(/"requestId":"[0-9a-f-]{36}"/, '"requestId":"…"');
}

/** The pointers of a problem, in order. */
export function pointersOf({ body }: { body: unknown }): string[] {
  return ((body as { errors?: { pointer: string }[] }).errors ?? []).map(({ pointer }) => pointer);
}

/** One statement behind the API's back, as the database's owner. */
export async function asOwner<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: process.env['TEST_OWNER_URL'] });
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}
