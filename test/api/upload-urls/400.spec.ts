import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { itemsOf } from '../batches.js';
import { callsBy, pointersOf } from '../calls.js';

const rest = { bucket: 'files', contentType: 'text/plain', contentLength: 5 };
const good = { ...rest, key: 'a' };

describe('POST /upload-urls answers 400', () => {
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
  });
  afterAll(() => installation.close());

  const calls = () => callsBy(installation.api, tenant.token('alice'));

  it('for the whole where it is no batch', async () => {
    for (const body of [{}, { items: [] }, { items: 'a' }, { items: Array.from({ length: 1_001 }, () => good) }]) {
      const response = await calls().post('/upload-urls', body).expect(400);
      expect(pointersOf(response)).toEqual(['/items']);
    }
    expect(
      pointersOf(
        await calls()
          .post('/upload-urls', { items: [good], more: 1 })
          .expect(400),
      ),
    ).toEqual(['/more']);
  });

  it.each<[object]>([
    [rest],
    [{ ...good, filename: 'b' }],
    [{ ...good, prefix: '' }],
    [{ ...rest, filename: 'a/b' }],
    [{ ...rest, filename: 'a'.repeat(1_000), prefix: `${'b'.repeat(30)}/` }],
    [{ ...good, contentLength: -1, contentType: 'x', overwrite: 'yes', checksumSha256: '' }],
    [{ ...good, contentLength: 2 ** 53 }],
    [{ ...good, disposition: 'inline', versionId: '1' }],
  ])('for the item %j, as the single call does, and issues the others', async (item) => {
    const single = await calls().post('/upload-url', item).expect(400);
    const response = await calls()
      .post('/upload-urls', { items: [good, item, good] })
      .expect(200);
    const [first, refused, last] = itemsOf(response);
    expect([first?.status, refused?.status, last?.status]).toEqual([201, 400, 201]);
    expect(refused?.body).toEqual({ ...single.body, requestId: response.headers['x-request-id'] });
  });

  it('without read:objects being enough', async () => {
    const reader = callsBy(installation.api, tenant.token('alice', 'read:objects'));
    const { body } = await reader.post('/upload-urls', { items: [good] }).expect(403);
    expect(body.code).toBe('scope-missing');
  });
});
