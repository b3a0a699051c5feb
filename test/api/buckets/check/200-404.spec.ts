import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../../support/installation.js';
import { asOwner, type Calls, callsBy } from '../../calls.js';

interface Checked {
  bucket: string;
  checkedAt: string;
  isSound: boolean;
  checks: { name: string; result: string; detail: string; remedy: string | null }[];
}

const NAMES = [
  'reachable',
  'credentials',
  'clock',
  'cors',
  'overwrite-protection',
  'copy-source',
  'public-acl',
  'post-policies',
  'checksums',
  'removal',
];

describe('POST /buckets/{name}/check', () => {
  let installation: Installation;
  let tenant: Tenant;
  let admin: Calls;

  beforeAll(async () => {
    installation = await install({ CORS_ORIGINS: 'http://localhost:3000' });
  });
  afterAll(() => installation.close());
  beforeEach(async () => {
    tenant = await installation.createTenant();
    admin = callsBy(installation.api, tenant.admin);
  });

  async function check(): Promise<Checked> {
    return (await admin.post('/buckets/files/check', {}).expect(200)).body as Checked;
  }

  const found = ({ checks }: Checked, name: string) => checks.find((each) => each.name === name);

  it('answers 200 with every property, what was seen and what to do', async () => {
    const checked = await check();
    expect(checked).toMatchObject({ bucket: 'files', isSound: true });
    expect(Math.abs(Date.parse(checked.checkedAt) - Date.now())).toBeLessThan(60_000);
    expect(checked.checks.map(({ name }) => name)).toEqual(NAMES);
    for (const { result, detail, remedy } of checked.checks) {
      expect(['passed', 'skipped']).toContain(result);
      expect([typeof detail, remedy]).toEqual(['string', null]);
    }
  });

  it('has a row in the ledger for itself, and one for each URL, of system:check and under .countersign-check/', async () => {
    await check();
    const events = await tenant.events({ limit: '200' });
    const checked = events.find(({ action }) => action === 'bucket.checked');
    expect(checked).toMatchObject({
      subject: 'admin',
      bucket: 'files',
      signingKeyId: expect.any(String),
      details: { isSound: true, results: { credentials: 'passed', 'copy-source': 'passed' } },
    });
    const urls = events.filter(({ subject }) => subject === 'system:check');
    expect(urls.length).toBeGreaterThan(5);
    for (const { action, key, useCase, issuanceId } of urls) {
      expect(['upload-url', 'upload-parts', 'download-url']).toContain(action);
      expect(key).toMatch(/^\.countersign-check\/[0-9a-f-]{36}\/[a-z-]+$/);
      expect([useCase, typeof issuanceId]).toEqual(['check', 'string']);
    }
    expect(JSON.stringify(events)).not.toMatch(/X-Amz-Signature/i);
  });

  it('no token speaks as system:check', async () => {
    // Attack: whoever has a token of that subject hides among the checks.
    const impostor = callsBy(installation.api, tenant.token('system:check'));
    await impostor.post('/download-url', { bucket: 'files', key: 'a' }).expect(401);
  });

  it('answers 404 for a bucket that is not there, or is another tenant’s', async () => {
    await installation.createTenant({ name: 'theirs' });
    for (const name of ['none', 'theirs', '%00']) {
      const { body } = await admin.post(`/buckets/${encodeURIComponent(name)}/check`, {});
      expect(body).toMatchObject({ status: 404, code: 'not-found' });
    }
  });

  it('says so where the bucket has no active signing key', async () => {
    await asOwner(
      `UPDATE signing_keys SET state = 'revoked' FROM tenants t WHERE t.id = signing_keys.tenant_id AND t.slug = $1`,
      [tenant.slug],
    );
    const checked = await check();
    expect(checked.isSound).toBe(false);
    expect(found(checked, 'credentials')).toMatchObject({
      result: 'failed',
      remedy: expect.stringContaining('/rotations'),
    });
    expect(new Set(checked.checks.map(({ result }) => result))).toEqual(new Set(['failed', 'skipped']));
  });

  describe('of a store that is none', () => {
    let server: Server | undefined;

    /** Registers the tenant's bucket at a server that answers like this. */
    async function serve(listener: RequestListener): Promise<void> {
      server = createServer(listener);
      await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      await admin.patch('/buckets/files', { endpoint: `http://127.0.0.1:${port}` }).expect(200);
    }
    const stop = () => {
      server?.closeAllConnections();
      server?.close();
    };
    afterEach(stop);

    it('names an endpoint that does not answer, and tries no more', async () => {
      await serve(() => undefined);
      stop();
      const checked = await check();
      expect(found(checked, 'reachable')).toMatchObject({
        result: 'failed',
        detail: expect.stringContaining('ECONNREFUSED'),
        remedy: expect.stringContaining('endpoint'),
      });
      expect(checked.checks.slice(1).map(({ result }) => result)).toEqual(NAMES.slice(1).map(() => 'skipped'));
    });

    it('waits for none that hangs, and reads none to the end that never ends', async () => {
      // Attack: an endpoint that holds our connections or fills our memory.
      await serve(() => undefined);
      const started = Date.now();
      expect(found(await check(), 'reachable')).toMatchObject({
        result: 'failed',
        detail: expect.stringContaining('in time'),
      });
      expect(Date.now() - started).toBeLessThan(15_000);
      stop();

      await serve((_, response) => {
        const pour = setInterval(() => response.write(Buffer.alloc(32 * 1024)), 1);
        response.on('close', () => clearInterval(pour));
      });
      expect(found(await check(), 'reachable')).toMatchObject({
        result: 'failed',
        detail: expect.stringContaining('more than 65536 bytes'),
      });
    });

    it('follows no redirect, and tells nothing of what it answers but the status and a code', async () => {
      // Attack: the API as a way into the network that it runs in, and to read there.
      let isFollowed = false;
      await serve((request, response) => {
        if (request.url === '/inside') isFollowed = true;
        response.writeHead(307, { location: '/inside' }).end('<Error><Code>Top Secret</Code>inside knowledge</Error>');
      });
      const checked = await check();
      expect(found(checked, 'credentials')).toMatchObject({ result: 'failed', detail: expect.stringContaining('307') });
      expect(JSON.stringify(checked)).not.toMatch(/Top Secret|inside/);
      expect(isFollowed).toBe(false);
    });

    it('is not fooled by one that says yes to everything', async () => {
      await serve((request, response) => {
        request.resume();
        response.writeHead(200, { date: 'Sat, 01 Jan 2000 00:00:00 GMT' }).end();
      });
      const checked = await check();
      expect(found(checked, 'credentials')).toMatchObject({ result: 'failed' });
      expect(found(checked, 'clock')).toMatchObject({ result: 'failed', remedy: expect.stringContaining('NTP') });
      expect(checked.isSound).toBe(false);
    });
  });
});
