import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { itemsOf } from '../batches.js';
import { freshKey, Replicas } from './replicas.js';

let t: Replicas;
beforeAll(async () => {
  t = await Replicas.start({ endpoint: 'http://127.0.0.1:9', bucket: 'acme' });
});
afterAll(() => t.stop());

const object = { contentType: 'text/plain', contentLength: 5 };
const outcomes = (answer: { body: unknown }) => itemsOf(answer).map(({ status, body: { code } }) => code ?? status);
const withoutRequestId = ({ text }: { text: string }) => text.replaceAll(/"requestId":"[0-9a-f-]{36}"/g, '');

describe('A batch that is repeated with its Idempotency-Key', () => {
  it.each([
    ['downloads', '/download-urls', {}],
    ['uploads', '/upload-urls', object],
  ])('of %s is issued once, however often and at how many replicas', async (_, path, more) => {
    const [key, folder] = [freshKey(), `users/alice/${freshKey()}`];
    const items = Array.from({ length: 20 }, (_, n) => ({ bucket: 'files', key: `${folder}/${n}`, ...more }));
    const answers = await t.atOnce(50, path, key, { items });
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(itemsOf({ body: JSON.parse(answers[0]!.text) }).map(({ status }) => status)).toEqual(items.map(() => 201));
    expect(await t.rows(folder)).toHaveLength(20);
  });

  it('of a thousand items too', async () => {
    const [key, folder] = [freshKey(), `users/alice/${freshKey()}`];
    const items = Array.from({ length: 1_000 }, (_, n) => ({ bucket: 'files', key: `${folder}/${n}` }));
    const answers = await t.atOnce(6, '/download-urls', key, { items });
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await t.rows(folder)).toHaveLength(1_000);
  });

  it('gives each item what it was given, and judges anew what was refused', async () => {
    const [key, folder] = [freshKey(), freshKey()];
    const takeBack = await t.grantOn(`${folder}/taken`);
    const items = [
      { bucket: 'files', key: '../malformed' },
      { bucket: 'files', key: `users/alice/${folder}/own` },
      { bucket: 'files', key: `${folder}/later` },
      { bucket: 'files', key: `${folder}/taken` },
      'no item',
      { bucket: 'files', key: `users/alice/${folder}/own` },
    ];
    const first = await t.ask('/download-urls', key, { items }).expect(200);
    expect(outcomes(first)).toEqual(['invalid-request', 201, 'not-granted', 201, 'invalid-request', 201]);
    expect(withoutRequestId(await t.ask('/download-urls', key, { items }).expect(200))).toBe(withoutRequestId(first));

    await takeBack();
    await t.grantOn(`${folder}/later`);
    const second = await t.ask('/download-urls', key, { items }).expect(200);
    expect(outcomes(second)).toEqual(['invalid-request', 201, 201, 'not-granted', 'invalid-request', 201]);
    for (const n of [1, 5]) expect(itemsOf(second)[n]).toEqual(itemsOf(first)[n]);

    await t.grantOn(`${folder}/taken`);
    const third = await t.ask('/download-urls', key, { items }).expect(200);
    expect(outcomes(third)).toEqual(['invalid-request', 201, 201, 201, 'invalid-request', 201]);
    expect([itemsOf(third)[2], itemsOf(third)[3]]).toEqual([itemsOf(second)[2], itemsOf(first)[3]]);
    expect((await t.rows(folder)).filter((row) => row.endsWith('granted') && !row.includes('refused'))).toHaveLength(2);
  });

  it('of which nothing was granted keeps nothing', async () => {
    const key = freshKey();
    const items = [{ bucket: 'files', key: 'nobody/a' }, {}];
    expect(outcomes(await t.ask('/download-urls', key, { items }).expect(200))).toEqual([
      'not-granted',
      'invalid-request',
    ]);
    expect(await t.kept(key)).toEqual([]);
  });

  it('with other items, or the same in another order, answers 422, and issues nothing', async () => {
    const [key, folder] = [freshKey(), `users/alice/${freshKey()}`];
    const items = ['a', 'b'].map((name) => ({ bucket: 'files', key: `${folder}/${name}` }));
    await t.ask('/download-urls', key, { items }).expect(200);
    for (const others of [items.toReversed(), items.slice(0, 1), [...items, { bucket: 'files', key: `${folder}/c` }]]) {
      const { body } = await t.ask('/download-urls', key, { items: others }).expect(422);
      expect(body.code).toBe('idempotency-key-reused');
    }
    expect(await t.rows(folder)).toHaveLength(2);
  });

  it('of items that differ only far down is told apart, and one that is nested too deep harms nobody', async () => {
    // Attack: an item so deep that walking it overflows the stack, or is cut off where it differs.
    const key = freshKey();
    const items = [{ bucket: 'files', key: `users/alice/${freshKey()}` }];
    const first = await t.ask('/download-urls', key, { items: [...items, { a: { b: { c: 1 } } }] }).expect(200);
    expect(outcomes(first)).toEqual([201, 'invalid-request']);
    await t.ask('/download-urls', key, { items: [...items, { a: { b: { c: 2 } } }] }).expect(422);
    const text = `{"items":[${JSON.stringify(items[0])},{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}]}`;
    const answer = await t
      .ask('/download-urls', freshKey(), {})
      .serialize(() => text)
      .expect(200);
    expect(outcomes(answer)).toEqual([201, 'invalid-request']);
  });
});
