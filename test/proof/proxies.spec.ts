import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { type BuiltApi, startBuiltApi } from '../support/built-program.js';
import { install, type Installation, type Tenant } from '../support/installation.js';
import { proof } from './record.js';

const believed = proof(
  'What a header says of where a request comes from is believed from a configured proxy only, and only as far as the nearest address that is none',
  'X-Forwarded-For and its kin from strangers and through proxies: forged, garbled, in thousands, behind thousands of other headers, with ports, in disguise',
  'every peer trusted; an address that is not parsed; no maxHeadersCount',
);

const PEER = '127.0.0.1';

describe('The address of a caller in the ledger', () => {
  let installation: Installation;
  let tenant: Tenant;
  const apis: BuiltApi[] = [];
  let cases = 0;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
    const env = { ...process.env, NODE_ENV: 'test', LOG_LEVEL: 'info', RECONCILE_UPLOADS: 'false' };
    for (const proxies of ['', '10.0.0.0/8,203.0.113.1', `${PEER},10.0.0.0/8,fd00::/8`])
      apis.push(await startBuiltApi({ ...env, TRUSTED_PROXIES: proxies }));
  }, 120_000);
  afterAll(async () => {
    await Promise.all(apis.map((api) => api.stop()));
    await installation.close();
  }, 60_000);
  afterAll(() => believed.record({ cases, figure: `0 of ${cases} addresses other than the true one` }));

  /** The address that stands in the ledger for a call with these headers. */
  async function addressOf(api: BuiltApi | undefined, headers: Record<string, string | string[]>): Promise<unknown> {
    const response = await request(api?.url ?? '')
      .post('/download-url')
      .auth(tenant.token('alice'), { type: 'bearer' })
      .set(headers as Record<string, string>)
      .send({ bucket: 'files', key: 'a' });
    expect(response.status).toBe(201);
    cases++;
    const events = await tenant.events({ limit: '5' });
    return events.find(({ requestId }) => requestId === response.headers['x-request-id'])?.['clientAddress'];
  }

  it('is that of its connection, whatever it says, where no proxy or another one is trusted', async () => {
    // Attack: somebody else's address on record, or none that leads to oneself.
    const forged = '198.51.100.7';
    const says: Record<string, string | string[]>[] = [
      { 'X-Forwarded-For': forged },
      { 'X-Forwarded-For': `${forged}, 10.0.0.1, 203.0.113.1` },
      { 'X-Forwarded-For': [forged, '10.0.0.1'] },
      { 'X-Forwarded-For': ','.repeat(10_000) },
      { Forwarded: `for=${forged};proto=https;by=10.0.0.1` },
      { 'X-Real-IP': forged, 'X-Client-IP': forged, 'True-Client-IP': forged, 'CF-Connecting-IP': forged },
    ];
    for (const api of apis.slice(0, 2)) {
      for (const headers of says) expect(await addressOf(api, headers)).toBe(PEER);
      // The log is written some lines at a time.
      const isLogged = () => api.printed().split('"route":"/download-url"').length > says.length;
      for (let waited = 0; !isLogged() && waited < 10_000; waited += 50) await sleep(50);
      expect(isLogged()).toBe(true);
      expect(api.printed()).not.toContain(forged);
    }
  }, 120_000);

  const client = '198.51.100.7';
  it.each([
    ['what its only entry says', client, client],
    ['the right one, where the client has put others in front', `192.0.2.9, 127.0.0.1, ${client}`, client],
    ['the one in front of several proxies', `192.0.2.9,${client} , 10.1.1.1,\t10.2.2.2`, client],
    ['the first, where all are proxies', '10.3.3.3, 10.2.2.2', '10.3.3.3'],
    ['that of several headers', ['192.0.2.9', client, '10.1.1.1'], client],
    ['one with a port', `${client}:50123`, client],
    ['an IPv6 one', '2001:db8::7, fd00::1', '2001:db8::7'],
    ['an IPv6 one with a port', '[2001:db8::7]:50123', '2001:db8::7'],
    ['an IPv4 one in disguise', `::ffff:${client}, ::ffff:10.1.1.1`, client],
    ['that of its connection for what is no address', 'unknown', PEER],
    ['nothing that stands behind what is no address', `${client}, _hidden, 10.1.1.1`, '10.1.1.1'],
    ['no markup', `<script>alert(1)</script>`, PEER],
    ['no SQL', `${client}'); DROP TABLE ledger; --`, PEER],
    ['no bytes of another kind', 'ÿþ\x80', PEER],
    ['no octal, no number, no range', `0177.0.0.1, 3325256711, ${client}/8`, PEER],
    ['no zone of any length', `fe80::1%${'a'.repeat(10_000)}`, PEER],
    ['nothing of ten thousand commas', ','.repeat(10_000), PEER],
    ['the first of a thousand proxies', Array.from({ length: 1_000 }, () => '10.1.1.1').join(), '10.1.1.1'],
    ['none of 7,000 others that a client has put in front', `${'1,'.repeat(7_000)}${client}`, client],
  ])('is, from a trusted proxy, %s', async (_, forwarded, address) => {
    expect(await addressOf(apis[2], { 'X-Forwarded-For': forwarded })).toBe(address);
  });

  it('is, from a trusted proxy, what it says behind three thousand headers of its client', async () => {
    // Attack: Node leaves out all headers behind the 2,000th, and so the one that tells on whoever sent them.
    const many = Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [n.toString(36), '']));
    expect(await addressOf(apis[2], { ...many, 'X-Forwarded-For': client })).toBe(client);
  });

  it('is, from a trusted proxy, in no other header', async () => {
    for (const name of ['Forwarded', 'X-Real-IP', 'X-Client-IP', 'True-Client-IP', 'CF-Connecting-IP'])
      expect(await addressOf(apis[2], { [name]: name === 'Forwarded' ? `for=${client}` : client })).toBe(PEER);
  });

  it('is refused whole, not cut, where it is longer than headers may be', async () => {
    const response = await request(apis[2]?.url ?? '')
      .get('/healthz')
      .set('X-Forwarded-For', '1,'.repeat(10_000));
    expect(response.body).toMatchObject({ status: 400, code: 'invalid-request' });
  });

  it('and no answer goes by the host or the protocol that a header names, from whomever', async () => {
    // Attack: links and redirects to the attacker's host.
    const evil = { 'X-Forwarded-Host': 'evil.test', 'X-Forwarded-Proto': 'javascript', Forwarded: 'host=evil.test' };
    for (const { url } of apis) {
      for (const path of ['/openapi.json', '/docs', '/docs/errors', '/nope'])
        expect((await request(url).get(path).set(evil).buffer(true)).text).not.toContain('evil.test');
      const { status, headers } = await request(url)
        .post('/grants')
        .auth(tenant.admin, { type: 'bearer' })
        .set(evil)
        .send({ bucket: 'files', actions: ['read'], prefix: 'a/', subject: { type: 'everyone' } });
      expect(status).toBe(201);
      expect(JSON.stringify(headers)).not.toContain('evil.test');
      cases += 5;
    }
  });
});
