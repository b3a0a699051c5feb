import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCountersignClient } from '@countersign/client';
import { install, type Installation, type Tenant } from '../support/installation.js';

describe('With the client', () => {
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

  it('a file is uploaded and downloaded by presigned URLs, in the lines that the README has', async () => {
    const token = tenant.token('alice');
    const countersign = createCountersignClient({ baseUrl, token });
    const file = new Blob(['hello'], { type: 'text/plain' });
    const object = { bucket: 'files', key: 'users/alice/hello.txt' };

    await countersign.upload(file, object);

    const download = await countersign.createDownloadUrl(object);
    expect(await (await fetch(download.url)).text()).toBe('hello');
  });

  it('a URL to upload by is typed by its mode: that of a PUT can be used without asking which it is', async () => {
    const countersign = createCountersignClient({ baseUrl, token: tenant.token('alice') });
    const file = new Blob(['hello'], { type: 'text/plain' });
    const object = { bucket: 'files', key: 'users/alice/by-hand.txt' };
    const wanted = { ...object, contentType: file.type, contentLength: file.size };

    const upload = await countersign.createUploadUrl(wanted);
    await fetch(upload.url, { method: upload.method, headers: upload.headers, body: file });
    expect(await countersign.getUpload(upload.uploadId)).toMatchObject({ mode: 'put', state: 'pending', ...object });

    const inParts = {
      ...wanted,
      key: 'users/alice/parts',
      contentLength: 20 * 1024 * 1024,
      mode: 'multipart' as const,
    };
    const { partCount, uploadId } = await countersign.createUploadUrl(inParts);
    expect(partCount).toBe(3);
    await countersign.abortUpload(uploadId);
  });

  it('every other call is typed by its path, with its query and headers', async () => {
    const { api } = createCountersignClient({ baseUrl, token: tenant.admin });
    const path = { name: 'share' };
    const read = await api.GET('/use-cases/{name}', { params: { path } });
    expect(read.data?.maxExpirySeconds).toBe(86_400);

    const header = { 'If-Match': read.response.headers.get('etag') ?? '' };
    const body = { action: 'read', minExpirySeconds: 60, defaultExpirySeconds: 600, maxExpirySeconds: 3_600 } as const;
    const put = await api.PUT('/use-cases/{name}', { params: { path, header }, body });
    expect([put.response.status, put.data?.defaultExpirySeconds]).toEqual([200, 600]);

    const grants = await api.GET('/grants', { params: { query: { bucket: 'files', limit: 1 } } });
    expect(grants.data?.items).toMatchObject([{ prefix: 'users/{sub}/', effect: 'allow' }]);
  });

  it('the token is asked for before each call, and may be a promise', async () => {
    const tokens = [tenant.token('alice'), tenant.token('bob')];
    const countersign = createCountersignClient({ baseUrl, token: async () => tokens.shift() ?? '' });
    const own = (subject: string) => countersign.createDownloadUrl({ bucket: 'files', key: `users/${subject}/a` });
    expect((await own('alice')).key).toBe('users/alice/a');
    expect((await own('bob')).key).toBe('users/bob/a');
  });
});
