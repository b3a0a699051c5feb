import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { put, StorageTest } from './storage-fixture.js';

let t: StorageTest;
beforeAll(async () => {
  t = await StorageTest.start();
});
afterAll(() => t.stop());

it('an upload URL stores once: used again, it changes nothing', async () => {
  // Attack: a URL that leaked after its use replaces the object that everybody has reviewed.
  const key = t.freshKey();
  const issued = await t.uploadUrl(key, 'first');
  expect((await put(issued, 'first')).status).toBe(200);
  expect((await put(issued, 'other')).status).toBe(412);
  expect(await t.read(key)).toBe('first');
});

it('a second URL for a key where something is now does not replace it either', async () => {
  const key = t.freshKey();
  const [first, second] = [await t.uploadUrl(key, 'first'), await t.uploadUrl(key, 'second')];
  expect((await put(first, 'first')).status).toBe(200);
  expect((await put(second, 'second')).status).toBe(412);
  expect(await t.read(key)).toBe('first');
});

it('of twenty uploads to one key at once, one succeeds and is what is read', async () => {
  // Attack: between "is there something?" and the write, another write is let in.
  const key = t.freshKey();
  const bodies = Array.from({ length: 20 }, (_, index) => `body ${index + 10}`);
  const issued = await Promise.all(bodies.map((body) => t.uploadUrl(key, body)));
  const answers = await Promise.all(bodies.map((body, index) => put(issued[index]!, body)));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  // A store may also say that it was too busy with the others (Amazon S3: 409 ConditionalRequestConflict).
  expect(statuses.filter((status) => status === 412 || status === 409)).toHaveLength(19);
  expect(await t.read(key)).toBe(bodies[statuses.indexOf(200)]);
});

it('where overwriting was asked for and is allowed, the object is replaced', async () => {
  const key = await t.store('first');
  const issued = await t.uploadUrl(key, 'second', { useCase: 'replace', overwrite: true });
  expect(issued.headers).not.toHaveProperty('if-none-match');
  expect((await put(issued, 'second')).status).toBe(200);
  expect(await t.read(key)).toBe('second');
});

it('where overwriting is allowed and was not asked for, the object stays', async () => {
  const key = await t.store('first');
  expect((await put(await t.uploadUrl(key, 'second', { useCase: 'replace' }), 'second')).status).toBe(412);
  expect(await t.read(key)).toBe('first');
});
