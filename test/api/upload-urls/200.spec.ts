import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, storeBucket, type Tenant } from '../../support/installation.js';
import { escapedObject, type ItemAnswer, itemsOf, statementsOf } from '../batches.js';
import { callsBy } from '../calls.js';

describe('POST /upload-urls answers 200', () => {
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    const other = { ...storeBucket(), name: 'archive', keyPrefix: 'archive/' };
    await callsBy(installation.api, tenant.admin).post('/buckets', other).expect(201);
    await tenant.grant({ subject: { type: 'everyone' }, bucket: 'archive', prefix: '', actions: ['write'] });
  });
  afterAll(() => installation.close());

  const calls = () => callsBy(installation.api, tenant.token('alice'));
  const post = (items: unknown[]) => calls().post('/upload-urls', { items });
  const file = (key: string) => ({
    bucket: 'files',
    key: `users/alice/${key}`,
    contentType: 'text/plain',
    contentLength: 5,
  });
  const put = ({ url, headers }: ItemAnswer['body'], body: string) =>
    fetch(url ?? '', { method: 'PUT', headers: headers as Record<string, string>, body });

  it('with URLs that upload exactly these bytes, each on record', async () => {
    const keys = [randomUUID(), randomUUID(), randomUUID()];
    const { body, headers } = await post(keys.map(file)).expect(200);
    expect(headers['cache-control']).toBe('no-store');
    for (const [n, item] of itemsOf({ body }).entries()) {
      const { key } = file(keys[n]!);
      expect(item).toMatchObject({ status: 201, body: { method: 'PUT', key, contentLength: 5 } });
      expect(item.body['uploadId']).toBe(item.body.issuanceId);
      expect((await put(item.body, 'hello!')).status).toBe(403);
      expect((await put(item.body, 'hello')).status).toBe(200);
      const events = await tenant.events({ key });
      expect(events).toMatchObject([{ action: 'upload-url', issuanceId: item.body.issuanceId, contentLength: 5 }]);
    }
  });

  it('with one answer an item, in order: what the single call would have said', async () => {
    const { key: _, ...nameless } = file('');
    const wanted = [
      { ...nameless, prefix: 'users/alice/', filename: 'made.txt' },
      { ...file('a'), filename: 'b' },
      { ...file('a'), bucket: 'archive' },
      { ...file('a'), overwrite: true, expiresInSeconds: 1 },
      { ...file('a'), key: 'users/bob/a' },
      { ...nameless, prefix: 'x/' },
      { ...file('a'), bucket: 'nowhere' },
      { ...file('html'), contentType: 'text/html' },
    ];
    const response = await post(wanted).expect(200);
    const items = itemsOf(response);
    expect(items.map(({ status }) => status)).toEqual([201, 400, 201, 422, 403, 400, 404, 201]);
    for (const [n, item] of wanted.entries()) {
      const single = await calls().post('/upload-url', item);
      const { body } = items[n]!;
      expect(items[n]?.status).toBe(single.status);
      const own = { 'x-amz-meta-countersign-upload': body['uploadId'] };
      if (single.status === 201)
        expect(body).toMatchObject({ key: single.body.key, headers: { ...single.body.headers, ...own } });
      else expect(body).toEqual({ ...single.body, requestId: response.headers['x-request-id'] });
    }
  });

  it("with URLs that are the single call's, where both were issued within one second, but for the upload that each pins", async () => {
    const item = { ...file('ü (1).txt'), checksumSha256: `${'A'.repeat(43)}=` };
    for (let attempt = 0; attempt < 10; attempt++) {
      const [together] = itemsOf(await post([item]).expect(200));
      const { body: alone } = await calls().post('/upload-url', item).expect(201);
      if (alone.issuedAt !== together?.body['issuedAt']) continue;
      const unsigned = (url = '') => url.replace(/X-Amz-Signature=[0-9a-f]{64}/, 'X-Amz-Signature=…');
      expect(unsigned(together?.body.url)).toBe(unsigned(alone.url));
      expect(unsigned(alone.url)).toContain('x-amz-meta-countersign-upload');
      return;
    }
    throw new Error('the second ended in each attempt');
  });

  it('for the same key twice: two uploads, of which the store takes one', async () => {
    const item = file(randomUUID());
    const [first, second] = itemsOf(await post([item, item]).expect(200));
    expect(first?.body['uploadId']).not.toBe(second?.body['uploadId']);
    expect((await put(first!.body, 'first')).status).toBe(200);
    expect((await put(second!.body, 'other')).status).toBe(412);
    expect(await tenant.events({ key: item.key })).toHaveLength(2);
  });

  it('with each item in its own mode, and a start that failed harming no other', async () => {
    const MIB = 1024 ** 2;
    // Nothing listens there: a multipart upload cannot be started.
    const dead = { name: 'dead', endpoint: 'http://127.0.0.1:9', keyPrefix: '', forcePathStyle: true };
    await callsBy(installation.api, tenant.admin)
      .post('/buckets', { ...storeBucket(), ...dead })
      .expect(201);
    await tenant.grant({ subject: { type: 'everyone' }, bucket: 'dead', prefix: '' });
    const key = () => file(randomUUID());
    const form = { mode: 'auto', contentLength: undefined, contentLengthRange: { min: 1, max: 9 } };
    const wanted = [
      { ...key(), mode: 'auto' },
      { ...key(), mode: 'multipart', contentLength: 5 * MIB },
      { ...key(), mode: 'multipart', contentLength: 5 * MIB, bucket: 'dead' },
      { ...key(), mode: 'auto', contentLength: 64 * MIB + 1 },
      { ...key(), ...form, bucket: 'dead' },
      { ...key(), ...form },
      { ...key(), mode: 'post' },
      { ...key(), mode: 'multipart' },
    ];
    const items = itemsOf(await post(wanted).expect(200));
    expect(items.map(({ status, body: { mode, code } }) => [status, mode ?? code])).toEqual([
      [201, 'put'],
      [201, 'multipart'],
      [503, 'store-unavailable'],
      [201, 'multipart'],
      [201, 'post'],
      [422, 'mode-not-available'],
      [400, 'invalid-request'],
      [422, 'too-small'],
    ]);
    const rows = await tenant.events({ key: wanted[2]!.key });
    expect(rows).toMatchObject([{ action: 'upload-url', decision: 'granted', urlCount: 0 }]);
  });

  it('for 1,000 full items, by three statements', async () => {
    const keys = Array.from({ length: 1_000 }, (_, n) => `users/alice/${n}/`.padEnd(900, 'é').slice(0, 500));
    const rest = { bucket: 'files', contentType: `text/${'x'.repeat(250)}`, contentLength: Number.MAX_SAFE_INTEGER };
    const more = { checksumSha256: `${'A'.repeat(43)}=`, expiresInSeconds: 300, useCase: 'upload' };
    const body = `{"items":[${keys.map((key) => escapedObject({ ...rest, ...more, key })).join(',')}]}`;
    let items: ItemAnswer[] = [];
    const statements = await statementsOf(installation, async () => {
      items = itemsOf(await calls().postBytes('/upload-urls', body).expect(200));
    });
    expect(statements.map(([name]) => name)).toEqual(['find_issuers', 'find_holdings', 'append_to_ledger']);
    expect(items.filter(({ body: problem }) => problem.code === 'too-large')).toHaveLength(1_000);
  }, 60_000);
});
