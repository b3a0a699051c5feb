import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CountersignError, createCountersignClient } from '@countersign/client';
import { install, type Installation, type Tenant } from '../support/installation.js';

const REQUEST = { bucket: 'files', key: 'users/alice/a.txt' };

describe('A refusal is thrown by the client', () => {
  let installation: Installation;
  let tenant: Tenant;
  let baseUrl: string;

  beforeAll(async () => {
    installation = await install();
    baseUrl = await installation.app.getUrl();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
  });
  afterAll(() => installation.close());

  const clientOf = (token: string) => createCountersignClient({ baseUrl, token });

  it('as a CountersignError with what the problem said', async () => {
    const upload = { ...REQUEST, contentType: 'text/plain', contentLength: 5, expiresInSeconds: 1, overwrite: true };
    const error = await errorOf(clientOf(tenant.token('alice')).createUploadUrl(upload));
    expect(error).toMatchObject({ name: 'CountersignError', code: 'expiry-out-of-range', status: 422 });
    expect(error.detail).toMatch(/expiresInSeconds must be/);
    expect(error.errors).toMatchObject([
      { code: 'expiry-out-of-range', pointer: '/expiresInSeconds', limits: { minExpirySeconds: 300 } },
      { code: 'overwrite-not-allowed', pointer: '/overwrite' },
    ]);
    expect(error.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(error.retryAfterSeconds).toBeNull();
  });

  it('of a token that is not believed, without the token', async () => {
    const token = `${tenant.token('alice').slice(0, -4)}AAAA`;
    const error = await errorOf(clientOf(token).createDownloadUrl(REQUEST));
    expect(error).toMatchObject({ code: 'unauthenticated', status: 401, errors: [] });
    expect(JSON.stringify(error) + error.stack).not.toContain(token);
  });

  it('of a grant that is not there, by every call', async () => {
    const { api } = clientOf(tenant.token('alice'));
    expect((await errorOf(clientOf(tenant.token('bob')).createDownloadUrl(REQUEST))).code).toBe('not-granted');
    expect((await errorOf(api.GET('/grants'))).code).toBe('scope-missing');
    expect((await errorOf(api.DELETE('/grants/{id}', { params: { path: { id: 'x' } } }))).code).toBe('scope-missing');
  });
});

describe('What is no answer of the service is thrown by the client', () => {
  let proxy: Server;
  let baseUrl: string;

  beforeAll(async () => {
    proxy = createServer((request, response) => {
      if (request.url === '/half/download-url') {
        response.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '7' }).end('{"code":');
      } else response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>');
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    baseUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => proxy.close(resolve)));

  it("as the code `unknown`: a proxy's page", async () => {
    const error = await errorOf(createCountersignClient({ baseUrl, token: 't' }).createDownloadUrl(REQUEST));
    expect(error).toMatchObject({ code: 'unknown', status: 502, requestId: null, retryAfterSeconds: null });
  });

  it('as the code `unknown`: half a problem, with the time to try again', async () => {
    const halfUrl = `${baseUrl}/half`;
    const error = await errorOf(createCountersignClient({ baseUrl: halfUrl, token: 't' }).createDownloadUrl(REQUEST));
    expect(error).toMatchObject({ code: 'unknown', status: 503, retryAfterSeconds: 7 });
  });

  it('as what fetch throws: a server that cannot be reached', async () => {
    const client = createCountersignClient({ baseUrl: 'http://127.0.0.1:1', token: 't' });
    await expect(client.createDownloadUrl(REQUEST)).rejects.not.toBeInstanceOf(CountersignError);
  });
});

async function errorOf(call: Promise<unknown>): Promise<CountersignError> {
  const thrown: unknown = await call.then(
    () => null,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(CountersignError);
  return thrown as CountersignError;
}
