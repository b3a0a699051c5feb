import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { asOwner, type Calls, callsBy, pointersOf } from '../calls.js';

describe('/buckets', () => {
  let installation: Installation;
  let tenant: Tenant;
  let admin: Calls;
  const credentials = { accessKeyId: 'AKIAREFUSED', secretAccessKey: 'secret-access-key' };
  const good = { name: 'photos', provider: 's3', region: 'eu-central-1', bucket: 'company-photos', credentials };

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    admin = callsBy(installation.api, tenant.admin);
  });
  afterAll(() => installation.close());

  it.each<[object, string[]]>([
    [{ name: 'Photos' }, ['/name']],
    [{ name: '-a' }, ['/name']],
    [{ name: 'a'.repeat(64) }, ['/name']],
    [{ name: '..' }, ['/name']],
    [{ name: undefined }, ['/name']],
    [{ provider: 'gcs' }, ['/provider']],
    [{ provider: null }, ['/provider']],
    [{ region: 'EU' }, ['/region']],
    [{ region: 'eu/central' }, ['/region']],
    [{ region: undefined }, ['/region']],
    [{ region: 'us-east-1.attacker.test#' }, ['/region']],
    [{ bucket: 'ab' }, ['/bucket']],
    [{ bucket: 'Upper' }, ['/bucket']],
    [{ bucket: 'a..b' }, ['/bucket']],
    [{ bucket: 'a/b' }, ['/bucket']],
    [{ bucket: '192.168.1.1' }, ['/bucket']],
    [{ bucket: 'arn:aws:s3:::x' }, ['/bucket']],
    [{ bucket: 'data--use1-az4--x-s3' }, ['/bucket']],
    [{ keyPrefix: 'a' }, ['/keyPrefix']],
    [{ keyPrefix: '../' }, ['/keyPrefix']],
    [{ keyPrefix: null }, ['/keyPrefix']],
    [{ endpoint: 'minio' }, ['/endpoint']],
    [{ endpoint: 'ftp://minio.example.com' }, ['/endpoint']],
    [{ endpoint: 'https://user:pass@minio.example.com' }, ['/endpoint']],
    [{ endpoint: 'https://minio.example.com/?a=b' }, ['/endpoint']],
    [{ endpoint: 'https://minio.example.com#a' }, ['/endpoint']],
    [{ endpoint: 'https://MINIO.example.com' }, ['/endpoint']],
    [{ endpoint: 'https://minio.example.com/a/../b' }, ['/endpoint']],
    [{ endpoint: null }, ['/endpoint']],
    [{ publicEndpoint: 'javascript:alert(1)' }, ['/publicEndpoint']],
    [{ forcePathStyle: 'yes' }, ['/forcePathStyle']],
    [{ acl: 'public-read' }, ['/acl']],
    [{ credentials: undefined }, ['/credentials']],
    [{ credentials: null }, ['/credentials']],
    [{ credentials: 'AKIA:secret' }, ['/credentials']],
    [{ credentials: [credentials] }, ['/credentials']],
    [{ credentials: {} }, ['/credentials/accessKeyId', '/credentials/secretAccessKey']],
    [{ credentials: { ...credentials, secretAccessKey: 'short' } }, ['/credentials/secretAccessKey']],
    [{ credentials: { ...credentials, secretAccessKey: 'with a space' } }, ['/credentials/secretAccessKey']],
    [{ credentials: { ...credentials, sessionToken: '' } }, ['/credentials/sessionToken']],
    [{ credentials: { ...credentials, sessionToken: 'a\r\nb' } }, ['/credentials/sessionToken']],
    [{ credentials: { ...credentials, expiresAt: 'soon' } }, ['/credentials/expiresAt']],
    [{ credentials: { ...credentials, expiresAt: '2020-01-01T00:00:00Z' } }, ['/credentials/expiresAt']],
    [{ credentials: { ...credentials, state: 'active' } }, ['/credentials/state']],
    [{ id: 'x', tenantId: 'y' }, ['/id', '/tenantId']],
  ])('POST answers 400 for %j', async (body, pointers) => {
    const response = await admin.post('/buckets', { ...good, ...body });
    expect([response.status, response.body.code, pointersOf(response)]).toEqual([400, 'invalid-request', pointers]);
    // What was sent is not told again: among it may be a secret.
    expect(response.text).not.toMatch(/secret-access-key|with a space|AKIA/);
  });

  it('POST answers 409 for a name that is taken, and changes nothing', async () => {
    const before = await admin.get('/buckets');
    const { body } = await admin.post('/buckets', { ...good, name: 'files' }).expect(409);
    expect(body).toMatchObject({ code: 'already-exists', errors: [{ pointer: '/name' }] });
    expect((await admin.get('/buckets')).body).toEqual(before.body);
  });

  it('POST of one name by many at once succeeds once', async () => {
    const fresh = await installation.createTenant();
    const posts = Array.from({ length: 6 }, () => callsBy(installation.api, fresh.admin).post('/buckets', good));
    const statuses = (await Promise.all(posts)).map(({ status }) => status);
    expect(statuses.sort((a, b) => a - b)).toEqual([201, 409, 409, 409, 409, 409]);
    const events = await fresh.events({ action: 'bucket.created', bucket: 'photos' });
    expect(events).toHaveLength(1);
    const keys = await asOwner(
      'SELECT access_key_id FROM signing_keys k JOIN tenants t ON t.id = k.tenant_id WHERE t.slug = $1',
      [fresh.slug],
    );
    expect(keys).toHaveLength(2);
  });

  it('GET answers 404 for a name that is not there, or is another tenant’s', async () => {
    const other = await installation.createTenant({ name: 'theirs' });
    await callsBy(installation.api, other.admin).get('/buckets/theirs').expect(200);
    for (const name of ['none', 'theirs', 'FILES', '%00', "'--", 'a'.repeat(300)]) {
      const { body } = await admin.get(`/buckets/${encodeURIComponent(name)}`);
      expect(body).toMatchObject({ status: 404, code: 'not-found' });
    }
  });

  it('nothing of all that is in the ledger, nor is a signing key left of it', async () => {
    const events = await tenant.events({ action: 'bucket.created' });
    expect(events.map(({ bucket }) => bucket)).toEqual(['files']);
    const keys = await asOwner(
      `SELECT k.access_key_id FROM signing_keys k JOIN tenants t ON t.id = k.tenant_id WHERE t.slug = $1`,
      [tenant.slug],
    );
    expect(keys).toHaveLength(1);
  });

  describe('where insecure endpoints are not allowed', () => {
    let strict: Installation;
    let theirs: Calls;

    beforeAll(async () => {
      strict = await install({ ALLOW_INSECURE_ENDPOINTS: 'false' });
      theirs = callsBy(strict.api, tenant.admin);
    });
    afterAll(() => strict.close());

    // Attack: the API as a way into the network that it runs in.
    it.each([
      'http://s3.example.com',
      'https://127.0.0.1:9000',
      'https://10.0.0.1',
      'https://169.254.169.254',
      'https://192.168.0.1',
      'https://[::1]',
      'https://[::ffff:127.0.0.1]'.replace('127.0.0.1', '7f00:1'),
      'https://[fd00::1]',
      'https://localhost',
      'https://localhost.',
      'https://minio',
      'https://db.internal',
      'https://printer.local',
      'https://0.0.0.0',
      'https://100.64.0.1',
    ])('POST answers 422 endpoint-not-allowed for %s', async (endpoint) => {
      const { body } = await theirs.post('/buckets', { ...good, endpoint }).expect(422);
      expect(body.code).toBe('endpoint-not-allowed');
      expect(body.errors).toMatchObject([{ code: 'endpoint-not-allowed', pointer: '/endpoint' }]);
      const both = await theirs.post('/buckets', { ...good, endpoint, publicEndpoint: endpoint }).expect(422);
      expect(pointersOf(both)).toEqual(['/endpoint', '/publicEndpoint']);
    });

    it('POST takes public ones', async () => {
      const endpoint = 'https://s3.example.com';
      await theirs
        .post('/buckets', { ...good, name: 'public', endpoint, publicEndpoint: 'https://8.8.8.8' })
        .expect(201);
    });
  });
});
