import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../../support/installation.js';
import { type Calls, callsBy, pointersOf } from '../../calls.js';

const secretAccessKey = 'an-administrative-secret';
const ceph = {
  type: 'ceph-rgw',
  endpoint: 'https://rgw.example.com',
  uid: 'acme',
  accessKeyId: 'ADMIN',
  secretAccessKey,
};
const aws = { type: 'aws-iam', userName: 'signer', accessKeyId: 'ADMIN', secretAccessKey };

describe('PATCH /buckets/{name} with a key issuer', () => {
  let installation: Installation;
  let tenant: Tenant;
  let admin: Calls;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    admin = callsBy(installation.api, tenant.admin);
  });
  afterAll(() => installation.close());

  it.each<[unknown, string[]]>([
    [null, ['']],
    ['manual', ['']],
    [[ceph], ['']],
    [{}, ['/type']],
    [{ type: 'gcs' }, ['/type']],
    [{ type: null }, ['/type']],
    [{ type: ['ceph-rgw'] }, ['/type']],
    [{ ...ceph, type: 'ceph_rgw' }, ['/type']],
    [{ type: 'gcs', color: 'red' }, ['/color', '/type']],
    [{ type: 'ceph-rgw' }, ['/endpoint', '/uid', '/accessKeyId', '/secretAccessKey']],
    [{ type: 'aws-iam' }, ['/userName', '/accessKeyId', '/secretAccessKey']],
    [{ ...ceph, uid: '' }, ['/uid']],
    [{ ...ceph, uid: 'a b' }, ['/uid']],
    [{ ...ceph, endpoint: 'rgw' }, ['/endpoint']],
    [{ ...ceph, endpoint: 'https://user:password@rgw.example.com' }, ['/endpoint']],
    [{ ...ceph, accessKeyId: 1 }, ['/accessKeyId']],
    [{ ...ceph, secretAccessKey: 'short' }, ['/secretAccessKey']],
    [{ ...aws, userName: 'a/b' }, ['/userName']],
    [{ ...aws, region: 'EU' }, ['/region']],
    [{ ...aws, sessionToken: '' }, ['/sessionToken']],
    [{ ...aws, endpoint: null }, ['/endpoint']],
    // Fields of another type.
    [{ ...aws, uid: 'acme' }, ['/uid']],
    [{ ...ceph, userName: 'signer' }, ['/userName']],
    [{ ...ceph, sessionToken: 'token' }, ['/sessionToken']],
    [{ type: 'manual', accessKeyId: 'ADMIN' }, ['/accessKeyId']],
    [{ type: 'embedded', endpoint: 'http://127.0.0.1:9000' }, ['/endpoint']],
    [{ ...aws, sealedCredential: 'x' }, ['/sealedCredential']],
  ])('answers 400 for %j, and changes nothing', async (keyIssuer, pointers) => {
    const before = await admin.get('/buckets/files');
    const response = await admin.patch('/buckets/files', { keyIssuer });
    expect([response.status, response.body.code]).toEqual([400, 'invalid-request']);
    expect(pointersOf(response).toSorted()).toEqual(pointers.map((pointer) => `/keyIssuer${pointer}`).toSorted());
    expect(response.text).not.toMatch(/administrative-secret/);
    expect((await admin.get('/buckets/files')).body).toEqual(before.body);
  });

  it('answers 422 key-issuer-not-available for embedded, in a bucket that is not at the development store', async () => {
    const credentials = { accessKeyId: 'FIRSTKEY', secretAccessKey: 'of-the-first-key' };
    const elsewhere = { name: 'elsewhere', provider: 's3', region: 'us-east-1', bucket: 'acme', credentials };
    await admin.post('/buckets', elsewhere).expect(201);
    const embedded = { keyIssuer: { type: 'embedded' } };
    const refused = await admin.patch('/buckets/elsewhere', embedded).expect(422);
    expect(refused.body).toMatchObject({
      code: 'key-issuer-not-available',
      errors: [{ pointer: '/keyIssuer/type', code: 'key-issuer-not-available' }],
    });
    const post = await admin.post('/buckets', { ...elsewhere, name: 'another', ...embedded }).expect(422);
    expect(post.body.code).toBe('key-issuer-not-available');

    // Nor can such a bucket be moved away from it.
    await admin.patch('/buckets/files', embedded).expect(200);
    const moved = await admin.patch('/buckets/files', { endpoint: 'http://127.0.0.1:1' }).expect(422);
    expect(moved.body.code).toBe('key-issuer-not-available');
    await admin.patch('/buckets/files', { endpoint: 'http://127.0.0.1:1', keyIssuer: { type: 'manual' } }).expect(200);
  });

  it('answers 422 endpoint-not-allowed for an insecure or private endpoint, where none is allowed', async () => {
    // Attack: an administrator of a tenant sends our requests, with a signature, to a host of the network that we run in.
    const strict = await install({ ALLOW_INSECURE_ENDPOINTS: 'false' });
    try {
      const calls = callsBy(strict.api, tenant.admin);
      const credentials = { accessKeyId: 'FIRSTKEY', secretAccessKey: 'of-the-first-key' };
      const bucket = { name: 'public', provider: 's3', region: 'us-east-1', bucket: 'acme', credentials };
      await calls.post('/buckets', bucket).expect(201);
      for (const endpoint of ['http://rgw.example.com', 'https://169.254.169.254', 'https://rgw.internal']) {
        for (const keyIssuer of [
          { ...ceph, endpoint },
          { ...aws, endpoint },
        ]) {
          const { body } = await calls.patch('/buckets/public', { keyIssuer }).expect(422);
          expect(body).toMatchObject({ code: 'endpoint-not-allowed', errors: [{ pointer: '/keyIssuer/endpoint' }] });
        }
      }
      await calls.patch('/buckets/public', { keyIssuer: ceph }).expect(200);
    } finally {
      await strict.close();
    }
  });
});
