import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findSecret } from '../support/find-secret.js';
import { freshDatabase, type FreshDatabase } from '../support/fresh-database.js';
import { proof } from './record.js';
import { type Day, liveThroughADay } from './secrets/scenario.js';

/** What happens without being asked for. */
const OF_NO_REQUEST = /^(?:Server listening at|rotations cannot be read|uploads cannot be read|uploads reconciled)/;

const unseen = proof(
  'Secrets, tokens and signatures stand nowhere but in the answer that issues a URL',
  'known secrets through the built programs, in good and bad requests, faults and outages, at LOG_LEVEL=debug; then logs, answers, metrics, every row of every table and PostgreSQL’s log, in clear, JSON, URL, hex and base64',
  'the Authorization header put into each request’s log line',
);

// Attack: read the logs, a backup or the database itself, and act as somebody else. Secrets that are known here go through the built
// programs at their most talkative; then all that was printed or stored is searched for them, however they might be written.
describe('Known secrets, after a day of work, faults and attacks', () => {
  let database: FreshDatabase;
  let day: Day;

  beforeAll(async () => {
    database = await freshDatabase();
    day = await liveThroughADay(database);
  }, 120_000);
  afterAll(() => database.drop());

  /** The names of the secrets that a text holds, and how. */
  const leaksIn = (text: string): string[] =>
    [...day.secrets].flatMap(([name, secret]) => {
      const encoding = findSecret(text, secret);
      return encoding === null ? [] : [`${name} (${encoding})`];
    });

  it('stand nowhere in what was printed', () => {
    expect(day.secrets.size).toBeGreaterThan(40);
    expect(leaksIn(day.printed)).toEqual([]);
    expect(/X-Amz-(?:Signature|Credential|Security-Token)|bearer [\w+/-]/i.test(day.printed)).toBe(false);
  });

  it('stand in no answer, but that a URL is issued with its signature', () => {
    expect(day.answered).toContain('You sent ***');
    expect(leaksIn(day.answered)).toEqual([]);
    expect(/X-Amz-(?:Signature|Credential|Security-Token)=/i.test(day.answered)).toBe(false);
  });

  it('stand nowhere in what was stored: no table holds one, in any column', async () => {
    const stored = await dump(database);

    expect([day.keys[0], 'MARKEDKEY0001'].every((known) => stored.includes(String(known)))).toBe(true);
    expect(leaksIn(stored)).toEqual([]);
    expect(/X-Amz-(?:Signature|Credential|Security-Token)/i.test(stored)).toBe(false);
  });

  it('stand nowhere in the figures', () => {
    expect(day.metrics).toContain('countersign_http_request_duration_seconds');
    expect(leaksIn(day.metrics)).toEqual([]);
  });

  it("stand nowhere in the database server's own log", async () => {
    const [log] = await database.query<{ text: string }>(`SELECT pg_read_file('server.log') AS text`);

    expect(log?.text).toContain('database system is ready');
    expect(leaksIn(log?.text ?? '')).toEqual([]);
  });

  // Without this, the tests above would pass with a search that finds nothing.
  it('would be found: the same search finds each of them in every encoding, in a line and in a table', async () => {
    await database.query('CREATE TABLE leaks (name text, text text, bytes bytea, json jsonb)');
    for (const [name, secret] of day.secrets) {
      const around = `${randomBytes(4).toString('hex')}:${secret}:after`;
      const encodings = {
        clear: `{"level":30,"msg":"${secret}"}`,
        URL: `https://example.com/?token=${encodeURIComponent(secret)}&a=b`,
        hex: Buffer.from(around).toString('hex').toUpperCase(),
        base64: Buffer.from(around).toString('base64'),
        shifted: Buffer.from(`x${around}`).toString('base64'),
        base64url: Buffer.from(`xy${around}`).toString('base64url'),
      };
      for (const text of Object.values(encodings)) expect(findSecret(`before ${text} after`, secret)).not.toBeNull();
      await database.query('INSERT INTO leaks VALUES ($1, $2, $3, $4)', [
        name,
        encodings.shifted,
        Buffer.from(around),
        { a: [secret] },
      ]);
    }

    for (const column of ['text', 'bytes', 'json']) {
      const [row] = await database.query<{ found: string }>(
        `SELECT string_agg(row(${column})::text, ' ') AS found FROM leaks`,
      );
      expect(leaksIn(row?.found ?? '')).toHaveLength(day.secrets.size);
    }
    expect(leaksIn(await dump(database))).toHaveLength(day.secrets.size);
    await database.query('DROP TABLE leaks');

    const haystack = `${day.printed}${day.answered}${day.metrics}${await dump(database)}`;
    const figure = `0 of ${day.secrets.size} secrets found in ${Math.round(haystack.length / 1024).toLocaleString('en')} KiB`;
    unseen.record({ cases: day.secrets.size, figure });
  });

  it('leave lines of JSON, each with the id of the request that it belongs to', () => {
    const lines = linesOf(day.printed);

    for (const id of day.requestIds) {
      const summary = { method: expect.any(String), status: expect.any(Number), ms: expect.any(Number) };
      const summaries = lines.filter(({ requestId, msg }) => requestId === id && msg === 'request');
      expect(summaries).toEqual([expect.objectContaining(summary)]);
    }
    expect(lines.filter(({ status }) => status === 499)).toEqual([
      expect.objectContaining({ requestId: expect.any(String), route: '/upload-url', msg: 'request' }),
    ]);
    const ofNoRequest = lines.filter(({ level, requestId }) => level >= 30 && requestId === undefined);
    expect(ofNoRequest.filter(({ msg }) => !OF_NO_REQUEST.test(String(msg)))).toEqual([]);
    const faults = lines.filter(({ level }) => level >= 50);
    expect(new Set(faults.map(({ code }) => code))).toEqual(new Set(['signing-key-unavailable', 'ledger-unavailable']));
    expect(day.requestIds).toEqual(expect.arrayContaining(faults.map(({ requestId }) => requestId)));
  });

  it('leave the key of no object and no query in a line at info or above, but the code of each problem', () => {
    const loud = linesOf(day.printed).filter(({ level }) => level >= 30);

    for (const key of day.keys) expect(loud.filter((line) => JSON.stringify(line).includes(key))).toEqual([]);
    for (const { route } of loud) expect(String(route)).not.toContain('?');
    const codes = loud.map(({ code }) => code);
    expect(codes).toEqual(
      expect.arrayContaining(['unauthenticated', 'not-granted', 'bucket-not-found', 'invalid-request']),
    );
  });
});

interface Line extends Record<string, unknown> {
  level: number;
}

const linesOf = (printed: string): Line[] =>
  printed
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);

/** Every row of every table, as text. */
async function dump(database: FreshDatabase): Promise<string> {
  const tables = await database.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace`,
  );
  const rows = await Promise.all(
    tables.map(({ name }) =>
      database.query<{ text: string | null }>(`SELECT string_agg(t::text, E'\\n') AS text FROM ${name} t`),
    ),
  );
  return rows.flatMap(([row]) => row?.text ?? []).join('\n');
}
