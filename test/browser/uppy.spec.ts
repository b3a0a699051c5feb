// A real Uppy, as docs/uppy.md configures it, in a real browser; on the embedded store or, where STORAGE_* name one, on a real one.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { CuttingProxy } from '../support/cutting-proxy.js';
import { install, type Installation, type Tenant } from '../support/installation.js';
import { findChromium, startChromium } from './chromium.js';
import type { PageServer } from './page-server.js';
import { type PagesStore, startPagesStore } from './pages-store.js';
import { serveUppy, type UppyVersion } from './uppy/uppy-page.js';

/** What Uppy says of a file. */
interface Outcome {
  isDone: boolean;
  percentage: number;
  error: string | null;
  uploadURL: string | null;
  body: { key: string; bucket?: string; uploadId?: string; state?: string } | null;
}

interface UploadFile {
  name: string;
  type?: string;
  size: number;
  meta?: object;
}

jest.setTimeout(180_000);

const MIB = 1024 * 1024;
const executable = findChromium();
// CI installs one, so there its absence is a failure and never a skip.
const isSkipped = executable === null && !process.env['CI'];
const isEmbedded = process.env['STORAGE_KIND'] === 'embedded';
const PLUGINS: Record<UppyVersion, string> = { 5: 'AwsS3Multipart', 6: 'AwsS3' };
const SMALL: UploadFile = { name: 'Überblick (1).txt', type: 'text/plain', size: 5 };
const LARGE: UploadFile = { name: 'film.mp4', type: 'video/mp4', size: 60 * MIB };

(isSkipped ? describe.skip : describe).each<UppyVersion>([6, 5])('Uppy %i in Chromium', (version) => {
  let server: PageServer;
  let store: PagesStore;
  let proxy: CuttingProxy;
  let installation: Installation;
  let tenant: Tenant;
  let browser: Browser;
  let page: Page;
  let dir: string;
  /** Of the page's requests, as `PUT 3` for the third part and `GET /compat/…`. */
  let requests: string[] = [];

  beforeAll(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'countersign-browser-'));
    server = await serveUppy(version);
    store = await startPagesStore(server.origin, dir);
    proxy = await CuttingProxy.before(store.endpoint);
    const embedded = {
      EMBEDDED_STORE_ENDPOINT: store.endpoint,
      EMBEDDED_STORE_ADMIN_ACCESS_KEY_ID: 'NOBODYASKSIT00000001',
      EMBEDDED_STORE_ADMIN_SECRET_ACCESS_KEY: 'nobody asks for it',
    };
    installation = await install({ CORS_ORIGINS: server.origin, ...(isEmbedded ? embedded : {}) });
    tenant = await installation.createTenant({ ...store.registration, publicEndpoint: proxy.endpoint });
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    browser = await startChromium(executable ?? '');
    page = await browser.newPage();
    const settings = { API: await installation.app.getUrl(), token: tenant.token('alice') };
    await page.addInitScript(`globalThis.settings = ${JSON.stringify(settings)}`);
    page.on('request', (request) => {
      if (request.method() !== 'OPTIONS') requests.push(nameOf(request.method(), new URL(request.url())));
    });
    await page.goto(server.origin);
  });

  afterAll(async () => {
    await browser?.close();
    await installation?.close();
    await proxy?.stop();
    await store?.stop();
    await server?.stop();
    if (dir) await rm(dir, { recursive: true, force: true });
  });

  it('uploads a small file, to a key in the user’s folder, and it is verified', async () => {
    const { body, sha256 } = await expectDone(SMALL);
    // The name came from an operating system that writes an umlaut in two characters.
    expect(body?.key).toMatch(/^users\/alice\/[0-9a-f-]{36}-Überblick \(1\)\.txt$/);
    expect(await storedSha256(body?.key)).toBe(sha256);
    await expectVerified(body);
  });

  it('uploads an empty file, where the store offers what the version sends it by', async () => {
    const outcome = await upload({ name: 'empty.bin', size: 0 });
    const isForm = version === 6;
    if (isForm && isEmbedded)
      expect(outcome.error).toBe('metadata.size cannot be 0, since this bucket offers no forms.');
    else expect(outcome).toMatchObject({ isDone: true, error: null });
  });

  it('uploads 60 MB in parts though the connection is lost in between: what was lost is sent again', async () => {
    const { cuts } = proxy;
    // Uppy 5 sends six parts at once, each on a connection of its own.
    proxy.cutAfter(version === 6 ? 21 * MIB : 6 * MIB);
    // New ones too: where an old one is lost a browser may try again by itself, and neither Uppy nor we hear of it.
    proxy.cutAfter(MIB);
    proxy.cutAfter(MIB);
    const { body, sha256 } = await expectDone(LARGE);
    expect(proxy.cuts).toBe(cuts + 3);
    const parts = requests.filter((request) => request.startsWith('PUT '));
    expect(new Set(parts).size).toBe(60 / 5);
    expect(await storedSha256(body?.key)).toBe(sha256);
    await expectVerified(body);
  });

  it('goes on after the user’s retry, when the connection was lost for longer than it tries by itself', async () => {
    const failed = await uploadInVain(LARGE);
    const sent = requests.filter((request) => request.startsWith('PUT '));
    requests = [];
    const done = await evaluate('retry(uppy)');
    expect(done).toMatchObject({ isDone: true, error: null });
    expect(await storedSha256(done.body?.key)).toBe(failed.sha256);
    const again = requests.filter((request) => request.startsWith('PUT '));
    // Uppy 6 asks what is there, and sends what is not. Uppy 5 has aborted it, and begins anew.
    expect(sent).toContain('PUT 1');
    if (version === 6) expect(again).toEqual(['PUT 8', 'PUT 9', 'PUT 10', 'PUT 11', 'PUT 12']);
    else expect(again).toHaveLength(12);
  });

  it('uploads parts of the size that the page chose', async () => {
    await option('getChunkSize: () => 7000000');
    await expectDone({ ...LARGE, size: 20_000_000, meta: { partSize: 7_000_000 } });
    expect(requests.filter((request) => request.startsWith('PUT '))).toHaveLength(3);
    await option('getChunkSize: undefined');
  });

  it('uploads a small file at once: Uppy 5 by a PUT, Uppy 6 by a form, which the embedded store does not take', async () => {
    await option('shouldUseMultipart: false');
    const outcome = await upload({ ...SMALL, name: 'at-once.txt' });
    if (version === 6 && isEmbedded) {
      expect(outcome.error).toBe('filename cannot be sent by a form to this bucket: set shouldUseMultipart to true.');
    } else {
      expect(outcome).toMatchObject({ isDone: true, error: null });
      expect(requests.at(-1)).toMatch(version === 5 ? /^PUT / : /^POST /);
      // A form answers with the key at the store, which begins with the bucket's own prefix.
      const key = /users\/alice\/.*/.exec(outcome.body?.key ?? '')?.[0];
      expect(await storedSha256(key)).toBe(outcome.sha256);
    }
    await option('shouldUseMultipart: (file) => file.size > 0');
  });

  it('shows what the API has against a file', async () => {
    const notTheirs = await upload({ ...SMALL, name: 'bobs.txt', meta: { key: 'users/bob/a.txt' } });
    expect(notTheirs.error).toContain('No grant allows the caller to do this to this key.');
    const notNamed = await upload({ ...SMALL, name: 'nowhere.txt', meta: { bucket: 'no-such' } });
    expect(notNamed.error).toContain('There is no such bucket, or no grant in it for the caller.');
    if (version === 6) expect(await page.textContent('#dashboard')).toContain('Failed to upload nowhere.txt');
  });

  it('aborts what the user takes away, so that nothing of it is left at the store', async () => {
    const uploading = upload(LARGE).catch(() => null);
    await page.waitForRequest((request) => request.method() === 'PUT');
    const answer = page.waitForResponse((response) => response.request().method() === 'DELETE');
    await page.evaluate('uppy.cancelAll()');
    expect((await answer).status()).toBe(200);
    await uploading;
    const [aborted] = await tenant.events({ action: 'upload.aborted' });
    expect(aborted).toMatchObject({ subject: 'alice' });
  });

  it('shows what it did', async () => {
    await page.reload();
    await expectDone(SMALL);
    await expectDone(LARGE);
    const { UPPY_SCREENSHOT: folder } = process.env;
    if (folder) await page.screenshot({ path: path.join(folder, `uppy-${version}.png`) });
    if (version === 6) expect(await page.textContent('.uppy-StatusBar-statusPrimary')).toBe('Complete');
  });

  /** The connection is lost more often than either version tries by itself; then it is there again. */
  async function uploadInVain(file: UploadFile): Promise<Outcome & { sha256: string }> {
    const uploading = upload(file);
    await page.waitForRequest((request) => request.method() === 'PUT' && request.url().includes('partNumber=8&'));
    for (let n = 0; n < 100; n++) proxy.cutAfter(1);
    const outcome = await uploading;
    proxy.heal();
    expect(outcome).toMatchObject({ isDone: false, error: expect.any(String) });
    return outcome;
  }

  /** Of what Uppy completed itself, as the ledger has it: Uppy 6 keeps nothing of the answer but the key. */
  async function expectVerified(body: Outcome['body']): Promise<void> {
    const [verified] = await tenant.events({ action: 'upload.verified', key: body?.key ?? '' });
    expect(verified).toMatchObject({ subject: 'alice', key: body?.key });
    if (version === 5) expect(body).toMatchObject({ state: 'verified', bucket: 'files' });
  }

  async function expectDone(file: UploadFile) {
    const outcome = await upload(file);
    expect(outcome).toMatchObject({ isDone: true, percentage: 100, error: null });
    return outcome;
  }

  async function upload({ name, type = '', size, meta = {} }: UploadFile): Promise<Outcome & { sha256: string }> {
    const folder = await mkdtemp(path.join(dir, 'file-'));
    const bytes = randomBytes(size);
    const file = path.join(folder, name.normalize('NFD'));
    await writeFile(file, bytes);
    await page.setInputFiles('#file', file);
    requests = [];
    const all = JSON.stringify({ ...meta, n: randomUUID(), ...(type && { type }) });
    const outcome = await evaluate(`upload(uppy, ${all})`);
    return { ...outcome, sha256: createHash('sha256').update(bytes).digest('hex') };
  }

  const evaluate = async (call: string): Promise<Outcome> => (await page.evaluate(call)) as Outcome;
  const option = (options: string) =>
    page.evaluate(`void uppy.getPlugin('${PLUGINS[version]}').setOptions({ ${options} })`);

  async function storedSha256(key: string | undefined): Promise<string> {
    const place = { bucket: 'files', key };
    const asked = installation.api.post('/download-url').auth(tenant.token('alice'), { type: 'bearer' }).send(place);
    const { url } = (await asked.expect(201)).body as { url: string };
    const stored = Buffer.from(await (await fetch(url)).arrayBuffer());
    return createHash('sha256').update(stored).digest('hex');
  }
});

const nameOf = (method: string, { pathname, searchParams }: URL): string =>
  `${method} ${searchParams.get('partNumber') ?? pathname}`;
