import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { latestTimeOf, put, StorageTest, untilRefused } from './storage-fixture.js';

let t: StorageTest;
beforeAll(async () => {
  t = await StorageTest.start();
});
afterAll(() => t.stop());

describe('a download URL', () => {
  it('gives any range of the object', async () => {
    const { url } = await t.downloadUrl(await t.store('0123456789'));
    const range = await fetch(url, { headers: { range: 'bytes=2-4' } });
    expect(range.status).toBe(206);
    expect(range.headers.get('content-range')).toBe('bytes 2-4/10');
    expect(await range.text()).toBe('234');
    expect((await fetch(url, { headers: { range: 'bytes=10-' } })).status).toBe(416);
  });

  it('for HEAD tells size and type, and gives no byte', async () => {
    // Attack: who may only look at an object's size downloads it.
    const { url } = await t.downloadUrl(await t.store('0123456789'), { method: 'HEAD' });
    const head = await fetch(url, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(head.headers.get('content-length')).toBe('10');
    expect(head.headers.get('content-type')).toBe('text/plain');
    expect((await fetch(url)).status).toBe(403);
  });

  it.each([
    ['report.pdf', 'attachment; filename="report.pdf"'],
    ['Größe (1).png', `attachment; filename="Gr__e (1).png"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%281%29.png`],
    [
      '日本 & "co".txt',
      `attachment; filename="__ & \\"co\\".txt"; filename*=UTF-8''%E6%97%A5%E6%9C%AC%20%26%20%22co%22.txt`,
    ],
    ["it's *!.txt", `attachment; filename="it's *!.txt"`],
  ])('has the store offer the object as %s', async (filename, disposition) => {
    const download = await fetch((await t.downloadUrl(await t.store('x'), { filename })).url);
    expect(download.status).toBe(200);
    expect(download.headers.get('content-disposition')).toBe(disposition);
  });

  it('has the store answer with the type that was asked for', async () => {
    const { url } = await t.downloadUrl(await t.store('x'), { contentType: 'image/png', disposition: 'inline' });
    const download = await fetch(url);
    expect(download.headers.get('content-type')).toBe('image/png');
    expect(download.headers.get('content-disposition')).toBe('inline');
  });

  it('never has a browser run what somebody uploaded', async () => {
    // Attack: a page of the attacker's, shown in the origin of the bucket, reads what that origin may read.
    const key = await t.store('<script>alert(1)</script>', { contentType: 'text/html' });
    const stored = await fetch((await t.downloadUrl(key)).url);
    expect(stored.headers.get('content-disposition')).toBe('attachment');
    const asked = await fetch((await t.downloadUrl(key, { disposition: 'inline', contentType: 'image/svg+xml' })).url);
    expect(asked.headers.get('content-disposition')).toBe('attachment');
  });

  it('of an object that is not there is refused by the store alone', async () => {
    expect((await fetch((await t.downloadUrl(t.freshKey())).url)).status).toBe(404);
  });
});

describe('the store refuses', () => {
  it('a URL that was edited', async () => {
    // Attack: the holder reads another object, as another type, or for longer.
    const key = await t.store('secret');
    const { url } = await t.downloadUrl(key, { filename: 'a.txt' });
    const edits = [
      url.replace('/file?', '/file2?'),
      url.replace('X-Amz-Expires=900', 'X-Amz-Expires=604800'),
      url.replace('attachment', 'inline'),
      `${url}&response-content-type=text%2Fhtml`,
      url.replace('&x-id=GetObject', '&x-id=GetObject&versionId=null'),
      url.replace('X-Amz-SignedHeaders=host', 'X-Amz-SignedHeaders='),
    ];
    for (const edit of edits) {
      expect(edit).not.toBe(url);
      expect((await fetch(edit)).ok).toBe(false);
    }
    for (const method of ['PUT', 'DELETE']) expect((await fetch(url, { method })).status).toBe(403);
    expect((await fetch(url)).status).toBe(200);
  });

  it('the address without its query', async () => {
    // Attack: the ledger and the logs show the address; whoever reads them tries it.
    const { url } = await t.downloadUrl(await t.store('secret'));
    expect((await fetch(url.split('?')[0]!)).status).toBe(403);
  });

  it('a URL from the second on that the API named', async () => {
    // Attack: a URL from an old mail is tried.
    const body = 'late';
    const lateKey = t.freshKey();
    const key = await t.store(body);
    const [upload, download] = await Promise.all([
      t.uploadUrl(lateKey, body, { useCase: 'brief', expiresInSeconds: 1 }),
      t.downloadUrl(key, { useCase: 'brief' }),
    ]);
    const refused = await untilRefused(download.expiresAt, () => fetch(download.url));
    expect(refused.status).toBe(403);
    expect(latestTimeOf(refused)).toBeGreaterThanOrEqual(Date.parse(download.expiresAt));
    expect((await put(upload, body)).status).toBe(403);
    expect(await t.read(lateKey)).toBe(404);
  });
});
