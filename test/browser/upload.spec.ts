// The typed client in a real browser, against the embedded store or, where STORAGE_* name one, a real one with real CORS rules.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { CountersignClient } from '@countersign/client';
import { CuttingProxy } from '../support/cutting-proxy.js';
import { install, type Installation, type Tenant } from '../support/installation.js';
import { findChromium, startChromium } from './chromium.js';
import { type PageServer, servePage } from './page-server.js';
import { type PagesStore, startPagesStore } from './pages-store.js';

type Verified = Awaited<ReturnType<CountersignClient['upload']>>;

// A browser, 200 MiB, and machines that have other things to do.
jest.setTimeout(180_000);

const MIB = 1024 * 1024;
const executable = findChromium();
// CI installs one, so there its absence is a failure and never a skip.
const isSkipped = executable === null && !process.env['CI'];
const NONE = 'No Chromium on this machine: run test/browser/install-chromium.sh, or name one in CHROMIUM.';
if (isSkipped) process.stderr.write(`test/browser is skipped. ${NONE}\n`);

(isSkipped ? describe.skip : describe)('A page in Chromium', () => {
  let server: PageServer;
  let store: PagesStore;
  let proxy: CuttingProxy;
  let installation: Installation;
  let tenant: Tenant;
  let browser: Browser;
  let page: Page;
  let dir: string;

  beforeAll(async () => {
    if (executable === null) throw new Error(NONE);
    dir = await mkdtemp(path.join(os.tmpdir(), 'countersign-browser-'));
    server = await servePage();
    store = await startPagesStore(server.origin, dir);
    proxy = await CuttingProxy.before(store.endpoint);
    installation = await install({ CORS_ORIGINS: server.origin });
    tenant = await installation.createTenant({ ...store.registration, publicEndpoint: proxy.endpoint });
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    browser = await startChromium(executable);
    page = await browser.newPage();
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

  it('uploads 1 byte', () => expectUploaded(1, {}));

  it('uploads 5 MiB by one PUT, with a checksum that it computes', () => expectUploaded(5 * MIB, { checksum: true }));

  it('uploads 200 MiB in parts, though a connection is lost in between, and the bar never goes back', async () => {
    const { cuts } = proxy;
    proxy.cutAfter(50 * MIB);
    const told = await expectUploaded(200 * MIB, { backoffMs: 50 });
    expect(proxy.cuts).toBe(cuts + 1);
    // More often than once a part: a person sees it move.
    expect(told.length).toBeGreaterThan(200 / 8);
  });

  it('uploads 5 MiB by one PUT whose first try came to the store, though its answer was lost', async () => {
    const { cuts } = proxy;
    proxy.loseAnswer();
    await expectUploaded(5 * MIB, { mode: 'put', backoffMs: 50 });
    expect(proxy.cuts).toBe(cuts + 1);
  });

  // The embedded store has no POST policies.
  if (process.env['STORAGE_KIND'] !== 'embedded') {
    it('uploads by a form', async () => {
      await expectUploaded(1, { mode: 'post' });
      await expectUploaded(5 * MIB, { mode: 'post' });
    });
  }

  it('shows what it did', async () => {
    const states = await page.locator('#uploads td:last-child').allTextContents();
    expect(states.every((state) => state.startsWith('verified: size, type'))).toBe(true);
    const { BROWSER_SCREENSHOT: screenshot } = process.env;
    if (screenshot) await page.screenshot({ path: screenshot });
  });

  /** Chooses a file and uploads it; gives what the page was told on the way. */
  async function expectUploaded(size: number, options: object): Promise<number[]> {
    const { file, sha256 } = await makeFile(size);
    const place = { bucket: 'files', key: `users/alice/${randomUUID()}/file.bin` };
    await page.setInputFiles('#file', file);
    const wanted = { baseUrl: await installation.app.getUrl(), token: tenant.token('alice'), ...place, ...options };
    const done: unknown = await page.evaluate(`upload(${JSON.stringify(wanted)})`);
    expect(done).toMatchObject({ verified: { state: 'verified', size, ...place } });
    const { verified, told } = done as { verified: Verified; told: number[] };
    expect(verified.verified).toEqual(expect.arrayContaining(['size', 'type']));
    expect(told).toEqual([...new Set(told)].sort((one, other) => one - other));
    expect(told.at(-1)).toBe(size);
    expect(await storedSha256(place)).toBe(sha256);
    return told;
  }

  async function storedSha256(place: { bucket: string; key: string }): Promise<string> {
    const asked = installation.api.post('/download-url').auth(tenant.token('alice'), { type: 'bearer' }).send(place);
    const { url } = (await asked.expect(201)).body as { url: string };
    const hash = createHash('sha256');
    const { body } = await fetch(url);
    for await (const chunk of body ?? []) hash.update(chunk as Uint8Array);
    return hash.digest('hex');
  }

  async function makeFile(size: number): Promise<{ file: string; sha256: string }> {
    await mkdir(path.join(dir, 'files'), { recursive: true });
    const name = path.join(dir, 'files', `${randomUUID()}.bin`);
    const hash = createHash('sha256');
    const file = await open(name, 'w');
    for (let written = 0; written < size; written += MIB) {
      const bytes = randomBytes(Math.min(MIB, size - written));
      hash.update(bytes);
      await file.write(bytes);
    }
    await file.close();
    return { file: name, sha256: hash.digest('hex') };
  }
});
