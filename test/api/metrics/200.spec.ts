import { randomUUID } from 'node:crypto';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';

describe('GET /metrics answers 200', () => {
  let installation: Installation;
  let tenant: Tenant;
  const subject = `subject-${randomUUID()}`;
  const key = `users/${subject}/${randomUUID()}.txt`;

  beforeAll(async () => {
    installation = await install({ METRICS_TOKEN: '' });
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
  });
  afterAll(() => installation.close());

  const post = (path: string, body: object, token = tenant.token(subject)) =>
    installation.api.post(path).auth(token, { type: 'bearer' }).send(body);
  const read = async () => (await installation.api.get('/metrics').expect(200)).text;
  const upload = { bucket: 'files', key, contentType: 'text/plain', contentLength: 5 };

  it('to anyone, in the text format of Prometheus', async () => {
    const { headers, text } = await installation.api.get('/metrics').expect(200);

    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(headers['cache-control']).toBe('no-store');
    for (const line of text.trimEnd().split('\n').filter(Boolean))
      expect(line).toMatch(/^(?:# (?:HELP|TYPE) \S+ .+|[a-z_0-9]+(?:\{.+\})? -?(?:[\d.e+-]+|Nan|\+Inf))$/);
  });

  it('with what was issued, by action, and what was refused, by action and reason', async () => {
    const before = await read();
    await post('/upload-url', upload).expect(201);
    await post('/download-url', { bucket: 'files', key }).expect(201);
    await post('/download-url', { bucket: 'files', key: 'users/another/a.txt' }).expect(403);
    await post('/download-url', { bucket: 'nothing', key }).expect(404);
    await post('/upload-url', { ...upload, expiresInSeconds: 604_800 }).expect(422);
    await post('/upload-url', { ...upload, surprise: true }).expect(400);
    await post('/upload-url', upload, 'no.good.token').expect(401);
    await post('/upload-url', upload, tenant.token(subject, 'read:objects')).expect(403);
    const after = await read();

    const grew = (sample: string) => valueOf(after, sample) - valueOf(before, sample);
    expect(grew('countersign_urls_issued_total{action="upload-url"}')).toBe(1);
    expect(grew('countersign_urls_issued_total{action="download-url"}')).toBe(1);
    for (const [action, reason] of [
      ['download-url', 'not-granted'],
      ['download-url', 'bucket-not-found'],
      ['upload-url', 'expiry-out-of-range'],
      ['upload-url', 'invalid-request'],
      ['upload-url', 'unauthenticated'],
      ['upload-url', 'scope-missing'],
    ])
      expect(grew(`countersign_urls_refused_total{action="${action}",reason="${reason}"}`)).toBe(1);
  });

  it("with the duration of every request, by the route's pattern and never by its address", async () => {
    const secret = randomUUID();
    await installation.api.delete(`/grants/${randomUUID()}`).auth(tenant.admin, { type: 'bearer' }).expect(404);
    await installation.api.get(`/nothing/${secret}?token=${secret}`).expect(404);
    await installation.api.options('/upload-url').set('Access-Control-Request-Method', 'POST');
    await installation.api.trace(`/${secret}`);
    const text = await read();

    const count = (labels: string) => valueOf(text, `countersign_http_request_duration_seconds_count{${labels}}`);
    expect(count('method="DELETE",route="/grants/:id",status_class="4xx"')).toBe(1);
    expect(count('method="GET",route="unmatched",status_class="4xx"')).toBe(1);
    expect(count('method="POST",route="/upload-url",status_class="2xx"')).toBeGreaterThanOrEqual(1);
    expect(text).not.toContain(secret);
  });

  it('with those whose client went away, which are neither issued nor refused', async () => {
    const { port } = installation.app.getHttpServer().address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    const body = JSON.stringify(upload);
    const head = `POST /upload-url HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
    socket.write(`${head}\r\nAuthorization: Bearer ${tenant.token(subject)}\r\n\r\n${body}`, () => socket.destroy());

    const sample = 'countersign_http_requests_aborted_total{method="POST",route="/upload-url"}';
    while (valueOf(await read(), sample) === 0) await sleep(10);
  });

  it('with the batches of the ledger and the reads, their queues, and the connections of every role', async () => {
    const crowd = Array.from({ length: 20 }, () => post('/download-url', { bucket: 'files', key }).expect(201));
    await Promise.all(crowd);
    const text = await read();

    for (const call of ['append_to_ledger', 'find_holdings', 'find_issuers']) {
      const batches = valueOf(text, `countersign_database_batch_requests_count{call="${call}"}`);
      const served = valueOf(text, `countersign_database_batch_requests_sum{call="${call}"}`);
      expect(served).toBeGreaterThanOrEqual(20);
      expect(batches).toBeGreaterThanOrEqual(1);
      expect(batches).toBeLessThan(served);
      const duration = `countersign_database_batch_duration_seconds_count{call="${call}",outcome="done"}`;
      expect(valueOf(text, duration)).toBe(batches);
      expect(valueOf(text, `countersign_database_queued_requests{call="${call}"}`)).toBe(0);
    }
    for (const role of ['api', 'issuer', 'operator']) {
      for (const state of ['idle', 'busy'])
        expect(text).toContain(`countersign_database_connections{role="${role}",state="${state}"} `);
      expect(valueOf(text, `countersign_database_connections_limit{role="${role}"}`)).toBeGreaterThanOrEqual(2);
      expect(valueOf(text, `countersign_database_connection_waits{role="${role}"}`)).toBe(0);
    }
    expect(text).toMatch(/^process_cpu_seconds_total /m);
    expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m);
  });

  // Figures are read by more people, and kept longer, than the ledger: they must not say whose they are.
  it('without a tenant, a subject, a bucket, a key or a secret in them', async () => {
    const issued = await post('/upload-url', upload).expect(201);
    const [signature] = /[0-9a-f]{64}$/m.exec((issued.body as { url: string }).url.replaceAll('&', '\n')) ?? [];
    const text = await read();

    const { STORAGE_ACCESS_KEY_ID, STORAGE_SECRET_ACCESS_KEY, STORAGE_BUCKET } = process.env;
    const told = [subject, key, tenant.slug, tenant.issuer, tenant.admin, signature, issued.body.issuanceId, '"files"'];
    for (const word of [...told, STORAGE_ACCESS_KEY_ID, STORAGE_SECRET_ACCESS_KEY, STORAGE_BUCKET])
      expect(text).not.toContain(word);
    expect(new Set([...text.matchAll(/[{,](\w+)="/g)].map(([, label]) => label))).toEqual(
      new Set(
        ['action', 'call', 'kind', 'le', 'method', 'outcome', 'reason', 'role', 'route', 'space', 'state'].concat(
          'status_class',
          'type',
          'version',
          'major',
          'minor',
          'patch',
        ),
      ),
    );
  });
});

/** The value of one sample, 0 where there is none yet. */
function valueOf(text: string, sample: string): number {
  const line = text.split('\n').find((line) => line.startsWith(`${sample} `));
  return line === undefined ? 0 : Number(line.slice(sample.length + 1));
}
