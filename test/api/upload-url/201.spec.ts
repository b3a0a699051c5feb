import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';

describe('POST /upload-url answers 201', () => {
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
  });
  afterAll(() => installation.close());

  const post = (token: string, body: object) =>
    installation.api.post('/upload-url').auth(token, { type: 'bearer' }).send(body);

  it('with a URL that uploads exactly these bytes, and a ledger row without its query', async () => {
    const body = { bucket: 'files', key: 'users/alice/a.txt', contentType: 'text/plain', contentLength: 5 };
    const { body: issued, headers } = await post(tenant.token('alice'), body).expect(201);

    expect(headers['cache-control']).toBe('no-store');
    expect(issued).toMatchObject({
      method: 'PUT',
      bucket: 'files',
      key: 'users/alice/a.txt',
      useCase: 'upload',
      expiresInSeconds: 900,
    });
    expect(issued.headers).toEqual({ 'content-type': 'text/plain', 'if-none-match': '*', 'x-amz-acl': 'private' });
    expect((await fetch(issued.url, { method: 'PUT', headers: issued.headers, body: 'hello' })).status).toBe(200);

    const [event] = await tenant.events({ action: 'upload-url' });
    expect(event).toMatchObject({
      decision: 'granted',
      issuanceId: issued.issuanceId,
      subject: 'alice',
      expiresAt: issued.expiresAt,
    });
    expect(event?.['url']).toBe(issued.url.split('?')[0]);
  });
});
