import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startStore } from '@countersign/embedded';
import { ACCESS_KEY, ADMIN, BUCKET, TestStore, clientFor, refusal } from './store-fixture.js';

const MINE = { uid: 'embedded', 'access-key': ACCESS_KEY.accessKeyId };
const OTHER = { uid: 'other', accessKeyId: 'AKIAOTHER', secretAccessKey: 'of the other' };

describe('what the admin may do', () => {
  let t: TestStore;
  beforeAll(async () => {
    t = await TestStore.start({ accessKeys: [ACCESS_KEY, OTHER] });
  });
  afterAll(() => t.stop());

  test('a key is made, listed, used and taken away, in the words of Ceph', async () => {
    const name = { uid: 'embedded', 'access-key': 'CSGN0001' };
    const made = await t.admin('PUT', { key: '', 'key-type': 's3', 'generate-key': 'True', ...name });
    const first = { user: 'embedded', access_key: ACCESS_KEY.accessKeyId, secret_key: ACCESS_KEY.secretAccessKey };
    const second = { user: 'embedded', access_key: 'CSGN0001', secret_key: expect.stringMatching(/^[\w-]{40}$/) };
    expect(made).toEqual({ status: 200, answer: [first, second] });

    const user = { user_id: 'embedded', keys: made.answer };
    expect(await t.admin('GET', { uid: 'embedded' })).toEqual({ status: 200, answer: user });
    expect(await t.admin('GET', { 'access-key': 'CSGN0001' })).toEqual({ status: 200, answer: user });

    const [, { secret_key: secretAccessKey }] = made.answer as [unknown, { secret_key: string }];
    const client = clientFor(t.store.endpoint, { accessKeyId: 'CSGN0001', secretAccessKey });
    expect((await client.send(new ListBucketsCommand({}))).Buckets).toHaveLength(1);
    expect(await t.admin('DELETE', { key: '', ...name })).toEqual({ status: 200, answer: null });
    await expect(client.send(new ListBucketsCommand({}))).rejects.toThrow('does not exist in our records');
  });

  test('what is not there is refused in the words of Ceph', async () => {
    const absent = { 'access-key': 'AKIANOBODY' };
    const refused = (status: number, answer: string) => ({ status, answer });
    expect(await t.admin('DELETE', { key: '', uid: 'embedded', ...absent })).toEqual(
      refused(403, 'InvalidAccessKeyId'),
    );
    expect(await t.admin('GET', absent)).toEqual(refused(403, 'AccessDenied'));
    expect(await t.admin('GET', { uid: 'nobody' })).toEqual(refused(404, 'NoSuchUser'));
    expect(await t.admin('PUT', { key: '', uid: 'nobody', ...absent })).toEqual(refused(404, 'NoSuchUser'));
    expect(await t.admin('DELETE', { key: '', uid: 'nobody', ...absent })).toEqual(refused(404, 'NoSuchUser'));
  });
});

describe('attacks', () => {
  let t: TestStore;
  let url: string;
  beforeAll(async () => {
    t = await TestStore.start({ accessKeys: [ACCESS_KEY, OTHER] });
    url = `${t.store.endpoint}/admin/user?key=&uid=embedded&access-key=${ACCESS_KEY.accessKeyId}`;
  });
  /** Whatever was tried: nothing was made, and nothing taken away. */
  afterEach(async () => {
    const keysOf = async (uid: string) => (await t.admin('GET', { uid })).answer;
    expect(await keysOf('embedded')).toMatchObject({ keys: [{ access_key: ACCESS_KEY.accessKeyId }] });
    expect(await keysOf('other')).toMatchObject({
      keys: [{ access_key: OTHER.accessKeyId, secret_key: 'of the other' }],
    });
  });
  afterAll(() => t.stop());

  test('without a signature, nothing', async () => {
    // Attack: any page on this machine asks for the keys of the development store.
    for (const method of ['GET', 'PUT', 'DELETE', 'POST', 'HEAD', 'OPTIONS'])
      expect((await fetch(url, { method, headers: { origin: 'http://localhost:3000' } })).status).toBe(403);
  });

  test('an S3 key, its own or not, opens nothing here', async () => {
    // Attack: whoever has a signing key makes another one, that outlives its rotation.
    const denied = { status: 403, answer: 'AccessDenied' };
    expect(await t.admin('GET', { uid: 'embedded' }, ACCESS_KEY)).toEqual(denied);
    expect(await t.admin('PUT', { key: '', uid: 'embedded', 'access-key': 'AKIANEW' }, ACCESS_KEY)).toEqual(denied);
    expect(await t.admin('DELETE', { key: '', ...MINE }, ACCESS_KEY)).toEqual(denied);
  });

  test('a wrong secret and an unknown name are refused', async () => {
    const call = (credential: typeof ADMIN) => t.admin('GET', { uid: 'embedded' }, credential);
    expect(await call({ ...ADMIN, secretAccessKey: 'guessed' })).toMatchObject({ answer: 'SignatureDoesNotMatch' });
    expect(await call({ ...ADMIN, accessKeyId: 'NOBODY' })).toMatchObject({ answer: 'InvalidAccessKeyId' });
    expect(await call({ ...ADMIN, accessKeyId: '__proto__' })).toMatchObject({ answer: 'InvalidAccessKeyId' });
  });

  test('the admin is nobody at the store itself', async () => {
    // Attack: the credential that the API holds for rotations reads everybody's objects.
    await t.put('kept', 'kept');
    const client = clientFor(t.store.endpoint, ADMIN);
    await expect(client.send(new ListBucketsCommand({}))).rejects.toThrow('does not exist in our records');
  });

  test('a signed call with another key, user, verb or path is refused', async () => {
    const headers = await signed('DELETE', { key: '', uid: 'embedded', 'access-key': 'AKIANOBODY' });
    const sent = (method: string, target: string) =>
      fetch(`${t.store.endpoint}${target}`, { method, headers }).then((response) => response.status);
    expect(await sent('DELETE', `/admin/user?key=&uid=embedded&access-key=${ACCESS_KEY.accessKeyId}`)).toBe(403);
    expect(await sent('DELETE', '/admin/user?key=&uid=other&access-key=AKIANOBODY')).toBe(403);
    expect(await sent('PUT', '/admin/user?key=&uid=embedded&access-key=AKIANOBODY')).toBe(403);
    expect(await sent('DELETE', `/${BUCKET}/user?key=&uid=embedded&access-key=AKIANOBODY`)).toBe(403);
  });

  test('a presigned URL of the admin is refused', async () => {
    // Attack: such a URL, in a log or a history, makes a key for whoever finds it.
    const wish = requestFor('PUT', { key: '', uid: 'embedded', 'access-key': 'AKIANEW' });
    const headers = { ...wish.headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
    const { query = {} } = await signer().presign({ ...wish, headers });
    const presigned = `${t.store.endpoint}/admin/user?${new URLSearchParams(query as Record<string, string>).toString()}`;
    const response = await fetch(presigned, { method: 'PUT' });
    expect(await response.json()).toMatchObject({ Code: 'AccessDenied' });
  });

  test.each(['access-key=AKIANEW', 'Access-Key=AKIANEW', 'UID=other', 'key=caps'])(
    'a parameter that is there twice is refused: %s',
    async (more) => {
      // Attack: one layer reads the first value, and the next layer the second.
      expect((await fetch(`${url}&${more}`, { method: 'PUT', headers: await signed('PUT', {}) })).status).toBe(400);
    },
  );

  test.each([
    '/admin//user',
    '/admin/./user',
    '/admin/x/../user',
    '/admin/user/',
    '/admin/user%00',
    '/admin/users',
    '/admin/metadata/user',
    '/admin',
    '/Admin/user',
  ])('another path is none of the API: %s', async (target) => {
    const line = `DELETE ${target}?key=&uid=embedded&access-key=${ACCESS_KEY.accessKeyId} HTTP/1.1`;
    const { authorization = '', ...more } = await signed('DELETE', { key: '', ...MINE }, decodeURIComponent(target));
    const lines = Object.entries({ ...more, authorization, connection: 'close' }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    expect(await t.send(`${[line, ...lines].join('\r\n')}\r\n\r\n`)).toMatch(/^HTTP\/1.1 (400|403|501) /);
  });

  test("another user's key is neither taken away nor taken over", async () => {
    const theirs = { uid: 'embedded', 'access-key': OTHER.accessKeyId };
    expect(await t.admin('DELETE', { key: '', ...theirs })).toEqual({ status: 403, answer: 'InvalidAccessKeyId' });
    expect(await t.admin('PUT', { key: '', ...theirs })).toEqual({ status: 409, answer: 'KeyExists' });
  });

  test.each([
    ['DELETE', { key: '', 'access-key': ACCESS_KEY.accessKeyId }],
    ['DELETE', { key: '', uid: 'embedded' }],
    ['DELETE', { uid: 'embedded', 'access-key': ACCESS_KEY.accessKeyId }],
    ['PUT', { uid: 'embedded', 'display-name': 'x' }],
    ['PUT', { key: '', uid: 'embedded' }],
    ['PUT', { key: '', uid: 'embedded', 'access-key': 'AKIA/NEW' }],
    ['PUT', { key: '', uid: 'embedded', 'access-key': 'AKIANEW', 'generate-key': 'False' }],
    ['PUT', { key: '', uid: 'embedded', 'access-key': 'AKIANEW', 'key-type': 'swift' }],
    ['PUT', { caps: '', uid: 'embedded', 'user-caps': 'users=*' }],
    ['GET', { key: '', uid: 'embedded' }],
    ['GET', {}],
  ] as ['GET' | 'PUT' | 'DELETE', Record<string, string>][])(
    'what is incomplete or unknown is refused: %s %j',
    async (...call) => {
      expect(await t.admin(...call)).toEqual({ status: 400, answer: 'InvalidArgument' });
    },
  );

  function signer(): SignatureV4 {
    return new SignatureV4({
      service: 's3',
      region: 'us-east-1',
      uriEscapePath: false,
      credentials: ADMIN,
      sha256: Sha256,
    });
  }

  function requestFor(method: string, query: Record<string, string>, target = '/admin/user') {
    const { protocol, hostname, host } = new URL(t.store.endpoint);
    return { method, protocol, hostname, path: target, query, headers: { host } };
  }

  async function signed(
    method: string,
    query: Record<string, string>,
    target?: string,
  ): Promise<Record<string, string>> {
    return (await signer().sign(requestFor(method, query, target))).headers;
  }
});

describe('the keys are kept', () => {
  const next = { accessKeyId: 'AKIANEXT', secretAccessKey: 'next' };
  let first: TestStore;
  let second: TestStore | undefined;
  beforeEach(async () => {
    first = await TestStore.start();
    second = undefined;
  });
  afterEach(async () => {
    await second?.stop();
    await first.stop();
  });

  test('a rotated key survives a restart and a crash, and the first key stays dead', async () => {
    // Attack: the store is made to start again, and believes the key that was taken away.
    await first.put('kept', 'kept');
    await first.change('PUT', next);
    await first.change('DELETE', ACCESS_KEY);
    await first.store.stop();

    second = await TestStore.start({ dir: first.dir });
    await expectAsLeft(second);
    const killed = second.store.processId!;
    process.kill(killed, 'SIGKILL');
    await untilAnswers(second.store.endpoint);
    expect(second.store.processId).not.toBe(killed);
    await expectAsLeft(second);
  });

  async function expectAsLeft(store: TestStore): Promise<void> {
    expect(await store.read('kept')).toBe('InvalidAccessKeyId');
    const client = clientFor(store.store.endpoint, next);
    expect((await client.send(new ListBucketsCommand({}))).Buckets).toHaveLength(1);
  }

  async function untilAnswers(endpoint: string): Promise<void> {
    for (let tries = 0; tries < 400; tries++) {
      await sleep(25);
      const isUp = await fetch(endpoint).then(
        () => true,
        () => false,
      );
      if (isUp) return;
    }
  }

  test('of keys that are made at once, none is lost; only their owner reads the file', async () => {
    const names = Array.from({ length: 20 }, (_, n) => `AKIA${n + 10}`);
    await Promise.all(names.map((accessKeyId) => first.change('PUT', { accessKeyId, secretAccessKey: 'x' })));
    const file = path.join(first.dir, 'access-keys.json');
    const kept = JSON.parse(await readFile(file, 'utf8')) as { accessKeyId: string }[];
    expect(kept.map(({ accessKeyId }) => accessKeyId).toSorted()).toEqual(
      [...names, ACCESS_KEY.accessKeyId].toSorted(),
    );
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('a file that cannot be read stops the start: no key comes back to life', async () => {
    await first.store.stop();
    await writeFile(path.join(first.dir, 'access-keys.json'), '[{"uid":');
    const again = startStore({ dir: first.dir, buckets: [], accessKeys: [ACCESS_KEY] });
    await expect(again).rejects.toThrow('access-keys.json cannot be read');
  });
});

describe('a store without an admin', () => {
  let t: TestStore;
  beforeAll(async () => {
    t = await TestStore.start({ admin: undefined });
  });
  afterAll(() => t.stop());

  test('has no such API', async () => {
    expect(await t.admin('GET', { uid: 'embedded' })).toEqual({ status: 403, answer: 'InvalidAccessKeyId' });
    expect(await t.admin('GET', { uid: 'embedded' }, ACCESS_KEY)).toEqual({ status: 403, answer: 'AccessDenied' });
    expect(await refusal(fetch(`${t.store.endpoint}/admin/user`))).toMatch(/^403/);
  });
});
