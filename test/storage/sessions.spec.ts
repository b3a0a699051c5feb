import { afterEach, describe, expect, it } from '@jest/globals';
import { assumeRole } from './session.js';
import { latestTimeOf, put, StorageTest, untilRefused } from './storage-fixture.js';

let t: StorageTest | undefined;
afterEach(() => t?.stop());

it('a URL says that it dies with the session that signed it', async () => {
  // Attack: none, but the SDK signs seven days with a session that ends in five minutes, and a link in a mail is dead.
  const inFiveMinutes = `${new Date(Date.now() + 300_000).toISOString().slice(0, -5)}Z`;
  const credentials = {
    accessKeyId: 'ASIAEXAMPLE',
    secretAccessKey: 'of-a-session',
    sessionToken: 'a+session/token==',
    expiresAt: inFiveMinutes,
  };
  t = await StorageTest.start({ credentials });
  const download = await t.downloadUrl('users/alice/a', { useCase: 'batch', expiresInSeconds: 604_800 });
  expect(download).toMatchObject({
    expiresAt: inFiveMinutes.replace('Z', '.000Z'),
    expiryLimitedBy: 'credential',
  });
  const { searchParams } = new URL(download.url);
  expect(searchParams.get('X-Amz-Expires')).toBe(String(download.expiresInSeconds));
  expect(searchParams.get('X-Amz-Security-Token')).toBe(credentials.sessionToken);

  const shorter = await t.downloadUrl('users/alice/a', { expiresInSeconds: 60 });
  expect(shorter).toMatchObject({ expiresInSeconds: 60, expiryLimitedBy: null });
});

// Only a store that gives sessions can show what becomes of their URLs; STORAGE_STS_ENDPOINT names where it gives and believes them.
if (process.env['STORAGE_STS_ENDPOINT']) {
  describe('a session of the store', () => {
    it('signs URLs that work, and that die with it', async () => {
      const { expiresAt, ...credentials } = await assumeRole(Number(process.env['STORAGE_STS_MIN_SECONDS'] ?? 900) + 4);
      const endpoint = process.env['STORAGE_STS_ENDPOINT'];
      t = await StorageTest.start({ endpoint, credentials: { ...credentials, expiresAt } });

      const key = t.freshKey();
      const upload = await t.uploadUrl(key, 'hello', { useCase: 'batch', expiresInSeconds: 604_800 });
      expect((await put(upload, 'hello')).status).toBe(200);
      const download = await t.downloadUrl(key, { useCase: 'batch', expiresInSeconds: 604_800 });
      expect(await (await fetch(download.url)).text()).toBe('hello');
      // Signed as of days before there was a session.
      const stable = await t.downloadUrl(key, { useCase: 'batch', expiresInSeconds: 604_800, stable: true });
      expect(await (await fetch(stable.url)).text()).toBe('hello');
      for (const { expiresAt: end, expiryLimitedBy } of [upload, download, stable]) {
        expect(Date.parse(end)).toBe(Math.floor(Date.parse(expiresAt) / 1000) * 1000);
        expect(expiryLimitedBy).toBe('credential');
      }

      const refused = await untilRefused(download.expiresAt, () => fetch(download.url));
      expect(refused.status).toBe(403);
      expect(latestTimeOf(refused)).toBeGreaterThanOrEqual(Date.parse(download.expiresAt));
      const tooLate = await t.ask('/download-url', 'alice', { bucket: 'files', key });
      expect(tooLate.status).toBe(503);
      expect(tooLate.body).toMatchObject({ code: 'signing-key-unavailable' });
    }, 1_200_000);
  });
}
