import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../../support/installation.js';
import { type Calls, callsBy } from '../../calls.js';

interface Statement {
  Sid: string;
  Effect: string;
  Principal?: unknown;
  Action: string[];
  Resource: string[];
  Condition?: object;
}

describe('GET /buckets/{name}/storage-policy', () => {
  let installation: Installation;
  let tenant: Tenant;
  let admin: Calls;

  const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'a-secret-access-key' };
  const aws = { name: 'photos', provider: 's3', region: 'eu-central-1', bucket: 'acme', credentials };

  beforeAll(async () => {
    installation = await install();
  });
  afterAll(() => installation.close());
  beforeEach(async () => {
    tenant = await installation.createTenant();
    admin = callsBy(installation.api, tenant.admin);
  });

  async function policiesOf(registration: object) {
    await admin.post('/buckets', { ...aws, ...registration }).expect(201);
    const { body } = await admin.get('/buckets/photos/storage-policy').expect(200);
    expect(body).toMatchObject({ bucket: 'photos', notes: expect.any(Array) });
    for (const { Version } of [body.signingKeyPolicy, body.bucketPolicy]) expect(Version).toBe('2012-10-17');
    return { key: body.signingKeyPolicy.Statement as Statement[], bucket: body.bucketPolicy.Statement as Statement[] };
  }

  const sidsOf = (statements: Statement[]) => statements.map(({ Sid }) => Sid);

  it('answers 200 with all that a signing key needs on AWS, and nothing more', async () => {
    const Resource = ['arn:aws:s3:::acme/photos/*'];
    const { key, bucket } = await policiesOf({ keyPrefix: 'photos/' });
    const refusals = [
      {
        Sid: 'NoCopying',
        Effect: 'Deny',
        Action: ['s3:PutObject'],
        Resource,
        Condition: { StringLike: { 's3:x-amz-copy-source': '*' } },
      },
      {
        Sid: 'TlsOnly',
        Effect: 'Deny',
        Action: ['s3:*'],
        Resource,
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
      {
        Sid: 'NoOldSignatures',
        Effect: 'Deny',
        Action: ['s3:*'],
        Resource,
        Condition: { NumericGreaterThan: { 's3:signatureAge': '604800000' } },
      },
    ];
    const Action = [
      's3:GetObject',
      's3:GetObjectVersion',
      's3:PutObject',
      's3:DeleteObject',
      's3:AbortMultipartUpload',
      's3:ListMultipartUploadParts',
    ];
    const finding = {
      Sid: 'FindStartedUploads',
      Effect: 'Allow',
      Action: ['s3:ListBucketMultipartUploads'],
      Resource: Resource.map((each) => each.slice(0, each.indexOf('/'))),
    };
    expect(key).toEqual([{ Sid: 'ReadAndWriteThePrefix', Effect: 'Allow', Action, Resource }, finding, ...refusals]);
    expect(bucket).toEqual(refusals.map((refusal) => ({ ...refusal, Principal: '*' })));
  });

  it('bounds the age of a signature by the longest expiry of any use case, as it is now', async () => {
    const ageOf = async () => {
      const { body } = await admin.get('/buckets/files/storage-policy').expect(200);
      const statements = body.signingKeyPolicy.Statement as (Statement & { Condition: object })[];
      return statements.find(({ Sid }) => Sid === 'NoOldSignatures')?.Condition;
    };
    const age = (milliseconds: string) => ({ NumericGreaterThan: { 's3:signatureAge': milliseconds } });
    expect(await ageOf()).toEqual(age('604800000'));
    await admin.delete('/use-cases/batch').expect(204);
    expect(await ageOf()).toEqual(age('86400000'));
    for (const name of ['share', 'download', 'one-time', 'upload'])
      await admin.delete(`/use-cases/${name}`).expect(204);
    expect(await ageOf()).toBeUndefined();
  });

  it.each([
    ['everywhere but on AWS, ACLs', { endpoint: 'https://s3.example.com' }, 'NoPublicAcl', true],
    ['not on AWS, whose buckets have none', {}, 'NoPublicAcl', false],
    ['on AWS where ACLs are used', { acl: 'private' }, 'NoGrantRead', true],
    ['TLS where clients use it', { endpoint: 'https://s3.example.com' }, 'TlsOnly', true],
    ['but not where the store has none', { endpoint: 'http://127.0.0.1:9000' }, 'TlsOnly', false],
    [
      'nor where clients reach it without',
      { endpoint: 'https://s3.example.com', publicEndpoint: 'http://localhost:9000' },
      'TlsOnly',
      false,
    ],
  ])('guards %s', async (_, registration, sid, isGuarded) => {
    const { key, bucket } = await policiesOf(registration);
    expect([sidsOf(key).includes(sid), sidsOf(bucket).includes(sid)]).toEqual([isGuarded, isGuarded]);
  });

  it.each([
    ['acme', 'arn:aws:iam:::user/acme'],
    ['tenant$acme', 'arn:aws:iam::tenant:user/acme'],
  ])('lets the Ceph user %s in to the prefix, where the key issuer names it', async (uid, arn) => {
    const endpoint = 'https://rgw.example.com';
    const keyIssuer = { type: 'ceph-rgw', endpoint, uid, accessKeyId: 'ADMIN', secretAccessKey: 'never-shown' };
    const { bucket } = await policiesOf({ endpoint, keyIssuer });
    expect(bucket[0]).toMatchObject({ Effect: 'Allow', Principal: { AWS: [arn] }, Resource: ['arn:aws:s3:::acme/*'] });
    expect(bucket[1]).toMatchObject({ Sid: 'FindStartedUploads', Effect: 'Allow', Principal: { AWS: [arn] } });
    expect(bucket.slice(2).every(({ Effect, Principal }) => Effect === 'Deny' && Principal === '*')).toBe(true);
  });

  it.each([
    ['cn-north-1', 'arn:aws-cn:s3:::acme/*'],
    ['us-gov-west-1', 'arn:aws-us-gov:s3:::acme/*'],
  ])('knows the partition of %s', async (region, arn) => {
    const { key } = await policiesOf({ region });
    expect(key[0]?.Resource).toEqual([arn]);
  });

  // Attack: a prefix that is a wildcard in a policy opens, or guards, other prefixes than its own.
  it.each([
    ['a*b/', 'a${*}b/*'],
    ['a?/', 'a${?}/*'],
    ['${aws:username}/', '${$}{aws:username}/*'],
  ])('takes the prefix %s as it is written: AWS can be told to', async (keyPrefix, pattern) => {
    const { key, bucket } = await policiesOf({ keyPrefix });
    const [finding, ...others] = [...key, ...bucket].toSorted(
      (a, b) => a.Resource.join().length - b.Resource.join().length,
    );
    expect(finding).toMatchObject({ Sid: 'FindStartedUploads', Resource: ['arn:aws:s3:::acme'] });
    for (const { Resource } of others) expect(Resource).toEqual([`arn:aws:s3:::acme/${pattern}`]);
  });

  it.each(['a*b/', 'a?/', '${aws:username}/'])('answers 422 where %s can be said to no store', async (keyPrefix) => {
    await admin.post('/buckets', { ...aws, keyPrefix, endpoint: 'https://rgw.example.com' }).expect(201);
    const { body } = await admin.get('/buckets/photos/storage-policy').expect(422);
    expect(body).toMatchObject({ code: 'policy-not-expressible', errors: [{ pointer: '/keyPrefix' }] });
  });

  it('answers 404 for a bucket that is not there, or is another tenant’s', async () => {
    const other = await installation.createTenant({ name: 'theirs' });
    await callsBy(installation.api, other.admin).get('/buckets/theirs/storage-policy').expect(200);
    for (const name of ['none', 'theirs', '%00']) {
      const { body } = await admin.get(`/buckets/${encodeURIComponent(name)}/storage-policy`);
      expect(body).toMatchObject({ status: 404, code: 'not-found' });
    }
  });
});
