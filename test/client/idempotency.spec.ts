import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { asOwner } from '../api/calls.js';
import { MIB, UploadTest } from './upload-fixture.js';

jest.setTimeout(90_000);

let t: UploadTest;
beforeAll(async () => {
  t = await UploadTest.start();
});
afterAll(() => t.stop());

const rows = async ({ key }: { key: string }, action: string): Promise<number> => {
  const sql = `SELECT count(*)::int AS n FROM ledger WHERE key = $1 AND action = $2 AND decision = 'granted'`;
  const [row] = await asOwner<{ n: number }>(sql, [key, action]);
  return row?.n ?? 0;
};

/** The service does what it is asked for, and nobody hears of it: so often for each call of these paths. */
function losing(times: number, paths: RegExp, lost: (n: number) => unknown = () => undefined) {
  const seen = new Map<string, number>();
  return async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    const response = await fetch(request);
    const n = (seen.get(pathname) ?? 0) + 1;
    if (!paths.test(pathname) || n > times) return response;
    seen.set(pathname, n);
    await lost(n);
    throw new TypeError('fetch failed');
  };
}

describe('upload', () => {
  it.each(['put', 'multipart'] as const)('is one upload though the answers of its calls are lost: %s', async (mode) => {
    const client = await t.client(losing(2, /^\/upload-url$|\/parts$/));
    const { file } = await t.file(9 * MIB);
    const place = t.freshPlace();
    const verified = await client.upload(file, { ...place, mode, backoffMs: 20 });
    expect(verified.state).toBe('verified');
    expect(await rows(place, 'upload-url')).toBe(1);
    expect(await rows(place, 'upload-parts')).toBe(mode === 'put' ? 0 : 1);
  });

  it('is begun anew where what was issued cannot be given again', async () => {
    const place = t.freshPlace();
    // As if the answer had been lost for long: what was issued has expired.
    const client = await t.client(
      losing(1, /^\/upload-url$/, () =>
        asOwner(
          `UPDATE idempotency_keys SET issuances = regexp_replace(issuances::text, '(issuedAt[^:]*:)[0-9]+', '\\11')::jsonb
            WHERE issuances->>'0' LIKE '%' || $1 || '%'`,
          [place.key],
        ),
      ),
    );
    const { file } = await t.file(MIB);
    expect((await client.upload(file, { ...place, backoffMs: 20 })).state).toBe('verified');
    expect(await rows(place, 'upload-url')).toBe(2);
  });
});

describe('A call with an idempotencyKey', () => {
  it('gives the same again', async () => {
    const client = await t.client();
    const [place, options] = [t.freshPlace(), { idempotencyKey: crypto.randomUUID() }];
    const download = await client.createDownloadUrl(place, options);
    expect(await client.createDownloadUrl(place, options)).toEqual(download);
    const wish = { ...t.freshPlace(), contentType: 'text/plain', contentLength: 5 };
    const own = { idempotencyKey: crypto.randomUUID() };
    const upload = await client.createUploadUrl(wish, own);
    const again = await client.createUploadUrl(wish, own);
    expect([again.uploadId, again.url]).toEqual([upload.uploadId, upload.url]);
    expect([await rows(place, 'download-url'), await rows(wish, 'upload-url')]).toEqual([1, 1]);
  });
});
