import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { callsBy } from '../calls.js';

describe('GET /metrics', () => {
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install({ METRICS_TOKEN: '' });
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
  });
  afterAll(() => installation.close());

  it('counts each item of a batch, and a batch that was refused as one', async () => {
    const calls = callsBy(installation.api, tenant.token('alice'));
    const good = { bucket: 'files', key: 'users/alice/a' };
    const denied = { bucket: 'files', key: 'users/bob/a' };
    const upload = { ...good, contentType: 'text/plain', contentLength: 1 };
    await calls.post('/download-urls', { items: [good, denied, good, {}, denied] }).expect(200);
    await calls.post('/upload-urls', { items: [upload, upload, upload, { ...upload, overwrite: true }] }).expect(200);
    await calls.post('/upload-urls', { items: [] }).expect(400);
    const { text } = await installation.api.get('/metrics').expect(200);

    const samples = text.split('\n').filter((line) => /^countersign_urls_(?:issued|refused)_total\{/.test(line));
    expect(samples.toSorted()).toEqual([
      'countersign_urls_issued_total{action="download-url"} 2',
      'countersign_urls_issued_total{action="upload-url"} 3',
      'countersign_urls_refused_total{action="download-url",reason="invalid-request"} 1',
      'countersign_urls_refused_total{action="download-url",reason="not-granted"} 2',
      'countersign_urls_refused_total{action="upload-url",reason="invalid-request"} 1',
      'countersign_urls_refused_total{action="upload-url",reason="overwrite-not-allowed"} 1',
    ]);
  });
});
