import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Config } from '@countersign/config';
import { Coalescer, Database, QueueFullError } from '@countersign/database';
import { Ledger } from '@countersign/ledger';
import pg from 'pg';

interface Question {
  n: number;
}

describe('Coalescer', () => {
  /** Batches that end when they are told to, and a record of what was under way. */
  function gated(atOnce: number, maxQueued?: number) {
    const batches: { size: number; end: (error?: Error) => void }[] = [];
    const seen = { now: 0, most: 0 };
    const coalescer = new Coalescer<Question, string>(
      async (questions) => {
        seen.most = Math.max(seen.most, ++seen.now);
        await new Promise<void>((resolve, reject) => {
          batches.push({ size: questions.length, end: (error) => (error ? reject(error) : resolve()) });
        }).finally(() => seen.now--);
        return questions.map(({ n }) => `answer ${n}`);
      },
      atOnce,
      maxQueued,
    );
    const begun = async (count: number) => {
      while (batches.length < count) await new Promise(setImmediate);
      return batches[count - 1]!;
    };
    return { coalescer, begun, batches, seen };
  }
  const ask = (coalescer: Coalescer<Question, string>, count: number, from = 0) =>
    Array.from({ length: count }, (_, n) => coalescer.request({ n: from + n }));

  it('asks at once for one that is alone, and together for those that wait meanwhile', async () => {
    const { coalescer, begun, batches } = gated(1);
    const first = ask(coalescer, 1);
    const alone = await begun(1);
    const crowd = ask(coalescer, 10, 1);
    await new Promise(setImmediate);
    expect(batches).toHaveLength(1);
    alone.end();
    (await begun(2)).end();
    await expect(Promise.all([...first, ...crowd])).resolves.toEqual(
      Array.from({ length: 11 }, (_, n) => `answer ${n}`),
    );
    expect(batches.map(({ size }) => size)).toEqual([1, 10]);
  });

  it('never has more under way than it may, nor more than 512 in one', async () => {
    const { coalescer, begun, batches, seen } = gated(2);
    const answers = Promise.all(ask(coalescer, 2_000));
    await begun(2);
    for (let count = 1; count <= 4; count++) (await begun(count)).end();
    await expect(answers).resolves.toHaveLength(2_000);
    expect(batches.map(({ size }) => size)).toEqual([512, 512, 512, 464]);
    expect(seen).toEqual({ now: 0, most: 2 });
    // Its places are free again.
    const again = ask(coalescer, 1);
    (await begun(5)).end();
    await expect(Promise.all(again)).resolves.toEqual(['answer 0']);
  });

  it('starts another batch beside one that is under way for a crowd, and for fewer once that is over', async () => {
    const { coalescer, begun, batches } = gated(2);
    const first = ask(coalescer, 1);
    const alone = await begun(1);
    const few = ask(coalescer, 63, 1);
    for (let tick = 0; tick < 10; tick++) await new Promise(setImmediate);
    expect(batches).toHaveLength(1);
    const one = ask(coalescer, 1, 64);
    (await begun(2)).end();
    await Promise.all([...few, ...one]);
    const others = ask(coalescer, 2, 65);
    for (let tick = 0; tick < 10; tick++) await new Promise(setImmediate);
    expect(batches.map(({ size }) => size)).toEqual([1, 64]);
    alone.end();
    (await begun(3)).end();
    await Promise.all([...first, ...others]);
    expect(batches.map(({ size }) => size)).toEqual([1, 64, 2]);
  });

  it('lets those join that come tick after tick, and goes as soon as a tick brings none', async () => {
    const sizes: number[] = [];
    // Five ticks of a busy machine may take longer than anybody waits.
    for (let attempt = 0; attempt < 200 && !sizes.includes(10); attempt++) {
      const { coalescer, batches } = gated(1);
      const answers: Promise<string>[] = [];
      for (let tick = 0; tick < 5; tick++) {
        answers.push(...ask(coalescer, 2, tick));
        await new Promise(setImmediate);
      }
      const left = new Set(answers);
      for (const answer of answers) void answer.then(() => left.delete(answer));
      while (left.size > 0) {
        for (const batch of batches) batch.end();
        await new Promise(setImmediate);
      }
      sizes.push(batches[0]?.size ?? 0);
    }
    expect(sizes).toContain(10);
  });

  it('keeps those that came together in one batch, however many they are', async () => {
    const { coalescer, begun, batches } = gated(1);
    const alone = ask(coalescer, 1);
    const together = coalescer.requestAll(Array.from({ length: 1_000 }, (_, n) => ({ n })));
    const more = ask(coalescer, 3, 5_000);
    for (let count = 1; count <= 3; count++) (await begun(count)).end();
    expect(await together).toEqual(Array.from({ length: 1_000 }, (_, n) => `answer ${n}`));
    await expect(Promise.all([...alone, ...more])).resolves.toEqual([
      'answer 0',
      'answer 5000',
      'answer 5001',
      'answer 5002',
    ]);
    expect(batches.map(({ size }) => size)).toEqual([1, 1_000, 3]);
    await expect(coalescer.requestAll([])).resolves.toEqual([]);
  });

  it('refuses at once what would wait in vain, and takes it again once there is room', async () => {
    // Attack: a crowd, while the database hangs, fills the memory until the process dies with all that waits.
    const { coalescer, begun, batches } = gated(1, 100);
    const alone = ask(coalescer, 1);
    await begun(1);
    const waiting = ask(coalescer, 100, 1);
    expect(coalescer.queued).toBe(100);
    await expect(coalescer.request({ n: 0 })).rejects.toBeInstanceOf(QueueFullError);
    await expect(coalescer.requestAll([{ n: 0 }, { n: 1 }])).rejects.toBeInstanceOf(QueueFullError);
    expect(coalescer.queued).toBe(100);
    batches[0]!.end();
    (await begun(2)).end();
    await Promise.all([...alone, ...waiting]);
    const after = coalescer.request({ n: 7 });
    (await begun(3)).end();
    await expect(after).resolves.toBe('answer 7');
  });

  it('asks again for what was asked before: nothing is cached', async () => {
    let asked = 0;
    const coalescer = new Coalescer<Question, number>((questions) => Promise.resolve(questions.map(() => ++asked)), 1);
    const question = { n: 1 };
    const answers = [coalescer.request(question), coalescer.request(question)];
    await expect(Promise.all(answers)).resolves.toEqual([1, 2]);
    await expect(coalescer.request(question)).resolves.toBe(3);
  });

  it('tells everyone in a batch that it failed, and goes on', async () => {
    const { coalescer, begun } = gated(1);
    const failed = Promise.allSettled(ask(coalescer, 2));
    (await begun(1)).end(new Error('the database is away'));
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const next = ask(coalescer, 1);
    (await begun(2)).end();
    await expect(Promise.all(next)).resolves.toEqual(['answer 0']);
  });
});

describe('Requests that share a batch with one whose data the database refuses', () => {
  let database: Database;
  let ledger: Ledger;
  beforeAll(() => {
    database = new Database(new Config(process.env));
    ledger = new Ledger(database);
  });
  afterAll(() => database.onApplicationShutdown());

  async function recorded(tenantId: string) {
    const owner = new pg.Client({ connectionString: process.env['TEST_OWNER_URL'] });
    await owner.connect();
    try {
      return (await owner.query<{ subject: string }>('SELECT subject FROM ledger WHERE tenant_id = $1', [tenantId]))
        .rows;
    } finally {
      await owner.end();
    }
  }

  const refusal = (tenantId: string, subject: string) => ({
    issuanceId: randomUUID(),
    tenantId,
    subject,
    clientAddress: null,
    userAgent: null,
    requestId: 'poison',
    action: 'download-url' as const,
    bucket: 'b',
    key: 'k',
    useCase: 'download',
    contentType: null,
    contentLength: null,
    details: null,
    decision: 'refused' as const,
    reason: 'not-granted',
  });

  // Attack: a value that passed every check and that PostgreSQL refuses, sent by one tenant, fails what others wait for.
  it.each([
    ['a subject with NUL', { subject: 'a\0' }],
    ['half a character', { subject: '\ud800' }],
    ['a tenant that is no UUID', { tenantId: 'x' }],
    ['a number out of range', { contentLength: 2 ** 70 }],
    ['NUL in what else was pinned', { details: { n: 'a\0' } }],
  ])('are recorded, each once: %s', async (_, poison) => {
    const tenantId = randomUUID();
    const good = Array.from({ length: 20 }, (_, n) => ledger.record([refusal(tenantId, `s${n}`)]));
    const bad = ledger.record([{ ...refusal(tenantId, 'poison'), ...poison }]);
    const more = Array.from({ length: 20 }, (_, n) => ledger.record([refusal(tenantId, `s${20 + n}`)]));
    const outcomes = await Promise.allSettled([...good, bad, ...more]);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
    await expect(bad).rejects.toMatchObject({ code: 'ledger-unavailable', status: 503 });

    const rows = await recorded(tenantId);
    expect(rows.map(({ subject }) => subject).sort()).toEqual(Array.from({ length: 40 }, (_, n) => `s${n}`).sort());
  });
});
