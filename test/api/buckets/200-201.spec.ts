import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { asOwner, type Calls, callsBy } from '../calls.js';

describe('/buckets', () => {
  let installation: Installation;
  let tenant: Tenant;
  let admin: Calls;
  const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'a/very+secret/access-key' };
  const aws = { name: 'photos', provider: 's3', region: 'eu-central-1', bucket: 'company-photos', credentials };

  beforeAll(async () => {
    installation = await install();
  });
  afterAll(() => installation.close());
  beforeEach(async () => {
    tenant = await installation.createTenant();
    admin = callsBy(installation.api, tenant.admin);
  });

  it('POST answers 201 with the bucket, with what AWS needs where no endpoint is named', async () => {
    const { body: bucket } = await admin.post('/buckets', aws).expect(201);
    expect(bucket).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'photos',
      provider: 's3',
      endpoint: null,
      publicEndpoint: null,
      region: 'eu-central-1',
      bucket: 'company-photos',
      keyPrefix: '',
      forcePathStyle: false,
      acl: 'none',
      keyIssuer: { type: 'manual' },
      createdAt: expect.any(String),
    });
    const [event] = await tenant.events();
    expect(event).toMatchObject({
      action: 'bucket.created',
      decision: 'granted',
      subject: 'admin',
      bucket: 'photos',
      signingKeyId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      details: { bucket, accessKeyId: 'AKIAEXAMPLE' },
    });
    await expect(admin.get('/buckets/photos').expect(200)).resolves.toMatchObject({ body: bucket });
  });

  it.each([
    [{ endpoint: 'https://minio.example.com' }, true, 'private'],
    [{ endpoint: 'http://127.0.0.1:9000' }, true, 'private'],
    [{ endpoint: 'https://s3.eu-central-1.amazonaws.com' }, false, 'none'],
    [{ endpoint: 'https://amazonaws.com.attacker.test' }, true, 'private'],
    [{ endpoint: 'https://minio.example.com', forcePathStyle: false, acl: 'none' }, false, 'none'],
    [{ acl: 'private', forcePathStyle: true }, true, 'private'],
  ])('POST knows of %j what path style and ACL it needs', async (more, forcePathStyle, acl) => {
    const { body } = await admin.post('/buckets', { ...aws, ...more }).expect(201);
    expect(body).toMatchObject({ forcePathStyle, acl, endpoint: 'endpoint' in more ? more.endpoint : null });
  });

  it('secrets go in and never come out: of no answer, no ledger row, no column', async () => {
    // Attack: a backup of the database, or an administrator who may see everything but this.
    const secrets = {
      secretAccessKey: `s3cr3t-${tenant.slug}/+${'x'.repeat(20)}`,
      sessionToken: `t0k3n-${tenant.slug}-${'y'.repeat(300)}`,
    };
    const session = { accessKeyId: 'ASIAVISIBLE', ...secrets, expiresAt: '2999-01-01T00:00:00Z' };
    const made = await admin.post('/buckets', { ...aws, credentials: session }).expect(201);
    await tenant.grant({ subject: { type: 'everyone' }, bucket: 'photos', prefix: '' });
    const issued = await callsBy(installation.api, tenant.token('alice')).post('/download-url', {
      bucket: 'photos',
      key: 'a',
    });
    expect(issued.status).toBe(201);

    const answers = [made, await admin.get('/buckets'), await admin.get('/buckets/photos')].map(({ text }) => text);
    const taken = await admin.post('/buckets', { ...aws, credentials: session });
    const wrong = await admin.post('/buckets', { ...aws, name: 'X', credentials: { ...session, accessKeyId: '' } });
    expect([taken.status, wrong.status]).toEqual([409, 400]);
    const dump = await asOwner<{ row: string }>(
      `SELECT row_to_json(x)::text AS row FROM (SELECT *, encode(sealed_credential, 'escape') AS clear,
         encode(sealed_credential, 'base64') AS base64 FROM signing_keys WHERE access_key_id = 'ASIAVISIBLE') x
       UNION ALL SELECT row_to_json(b)::text FROM buckets b UNION ALL SELECT row_to_json(l)::text FROM ledger l`,
    );
    const events = JSON.stringify(await tenant.events());
    const everything = [...answers, taken.text, wrong.text, events, ...dump.map(({ row }) => row)].join('\n');
    expect(everything).toContain('ASIAVISIBLE');
    for (const secret of Object.values(secrets)) {
      const bytes = Buffer.from(secret);
      // Base64 in each of the three places where it may begin in a longer text.
      const base64 = [0, 1, 2].map((skip) =>
        bytes
          .subarray(skip, skip + 24)
          .toString('base64')
          .slice(0, 30),
      );
      for (const written of [secret, bytes.toString('hex'), encodeURIComponent(secret), ...base64])
        expect(everything.includes(written)).toBe(false);
    }
  });

  it('GET answers 200 with the buckets of this tenant and no others, by name, page by page', async () => {
    for (const name of ['c', 'a', 'b']) await admin.post('/buckets', { ...aws, name }).expect(201);
    const other = await installation.createTenant();
    await callsBy(installation.api, other.admin)
      .post('/buckets', { ...aws, name: 'theirs' })
      .expect(201);
    const names = ({ body }: { body: { items: { name: string }[] } }) => body.items.map(({ name }) => name);

    const first = await admin.get('/buckets', { limit: '3' }).expect(200);
    expect(names(first)).toEqual(['a', 'b', 'c']);
    const second = await admin.get('/buckets', { limit: '3', cursor: first.body.nextCursor }).expect(200);
    expect([names(second), second.body.nextCursor]).toEqual([['files'], null]);
  });

  it('two tenants may call their buckets the same', async () => {
    const other = await installation.createTenant();
    const { body: mine } = await admin.post('/buckets', aws).expect(201);
    const { body: theirs } = await callsBy(installation.api, other.admin)
      .post('/buckets', { ...aws, region: 'us-east-1' })
      .expect(201);
    expect(theirs.id).not.toBe(mine.id);
    expect((await admin.get('/buckets/photos')).body).toEqual(mine);
  });
});
