import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CredentialSeal } from '@countersign/signing-keys';
import { findSecret } from '../../../support/find-secret.js';
import { install, type Installation, type Tenant } from '../../../support/installation.js';
import { asOwner, type Calls, callsBy } from '../../calls.js';

const SECRET = 'an/administrative+secret-of-the-store';
const SESSION = `a-session-token-${'z'.repeat(40)}`;

const ceph = { type: 'ceph-rgw', endpoint: 'https://rgw.example.com', uid: 'acme$signer', accessKeyId: 'ADMINKEY' };
const aws = { type: 'aws-iam', userName: 'signer@acme', accessKeyId: 'AKIAADMIN' };

describe('A bucket’s key issuer', () => {
  let installation: Installation;
  let tenant: Tenant;
  let admin: Calls;

  beforeAll(async () => {
    installation = await install();
  });
  afterAll(() => installation.close());
  beforeEach(async () => {
    tenant = await installation.createTenant();
    admin = callsBy(installation.api, tenant.admin);
  });

  it('is manual unless it is said', async () => {
    expect((await admin.get('/buckets/files').expect(200)).body.keyIssuer).toEqual({ type: 'manual' });
    expect((await admin.get('/buckets').expect(200)).body.items[0].keyIssuer).toEqual({ type: 'manual' });
  });

  it.each([
    ['ceph-rgw', { ...ceph, secretAccessKey: SECRET }, ceph],
    ['aws-iam', { ...aws, secretAccessKey: SECRET }, aws],
    [
      'aws-iam elsewhere, by a session',
      { ...aws, region: 'eu-west-1', endpoint: 'https://iam.test', secretAccessKey: SECRET, sessionToken: SESSION },
      { ...aws, region: 'eu-west-1', endpoint: 'https://iam.test' },
    ],
    ['embedded', { type: 'embedded' }, { type: 'embedded' }],
    ['manual', { type: 'manual' }, { type: 'manual' }],
  ])('%s is set by PATCH, replaced as a whole, and shown without its secret', async (_, sent, shown) => {
    await admin.patch('/buckets/files', { keyIssuer: { ...ceph, secretAccessKey: 'the-one-before' } }).expect(200);
    const changed = await admin.patch('/buckets/files', { keyIssuer: sent }).expect(200);
    expect(changed.body.keyIssuer).toEqual(shown);
    const read = await admin.get('/buckets/files').expect(200);
    expect(read.body).toEqual(changed.body);
    expect(read.headers['etag']).toBe(changed.headers['etag']);
    expect((await admin.get('/buckets')).body.items).toEqual([changed.body]);

    const [event] = await tenant.events();
    expect(event).toMatchObject({ action: 'bucket.changed', details: { bucket: { keyIssuer: shown } } });
    // A change of something else leaves it as it is.
    expect((await admin.patch('/buckets/files', { region: 'eu-west-9' }).expect(200)).body.keyIssuer).toEqual(shown);
  });

  it('goes in with POST, too', async () => {
    const { body: files } = await admin.get('/buckets/files');
    const credentials = { accessKeyId: 'FIRSTKEY', secretAccessKey: 'of-the-first-key' };
    const request = { name: 'more', provider: 's3', region: files.region, bucket: 'acme', credentials };
    const keyIssuer = { ...aws, secretAccessKey: SECRET };
    expect((await admin.post('/buckets', { ...request, keyIssuer }).expect(201)).body.keyIssuer).toEqual(aws);
    expect((await admin.get('/buckets/more').expect(200)).body.keyIssuer).toEqual(aws);
  });

  it('is part of the ETag: of two administrators who set it at once, one is told', async () => {
    const { headers } = await admin.get('/buckets/files');
    const set = (uid: string) =>
      admin
        .patch('/buckets/files', { keyIssuer: { ...ceph, uid, secretAccessKey: SECRET } })
        .set('If-Match', headers['etag'] ?? '');
    const statuses = (await Promise.all([set('a'), set('b')])).map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 412]);
  });

  it('keeps its secret: of no answer, no ledger row, no column, and in no other row', async () => {
    // Attack: a backup of the database; and an owner of the database who moves a sealed secret to a bucket of their own.
    const keyIssuer = { ...aws, secretAccessKey: SECRET, sessionToken: SESSION };
    const answers = [
      await admin.patch('/buckets/files', { keyIssuer }).expect(200),
      await admin.get('/buckets/files'),
      await admin.get('/buckets'),
      await admin.patch('/buckets/files', { keyIssuer: { ...keyIssuer, userName: '' } }).expect(400),
    ].map(({ text }) => text);
    const rows = await asOwner<{ bucket_id: string; tenant_id: string; sealed_credential: Buffer }>(
      `SELECT k.*, row_to_json(k)::text AS text FROM key_issuers k JOIN tenants t ON t.id = k.tenant_id WHERE slug = $1`,
      [tenant.slug],
    );
    const everything = [...answers, JSON.stringify(rows), JSON.stringify(await tenant.events())].join('\n');
    for (const secret of [SECRET, SESSION]) expect(findSecret(everything, secret)).toBeNull();

    const [row] = rows;
    if (!row) throw new Error('there is no row');
    const seal = installation.app.get(CredentialSeal, { strict: false });
    const open = (tenantId: string, bucketId: string) =>
      seal.open(row.sealed_credential, { tenantId, keyIssuerOfBucketId: bucketId });
    expect(open(row.tenant_id, row.bucket_id)).toEqual({ secretAccessKey: SECRET, sessionToken: SESSION });
    expect(() => open(row.tenant_id, row.tenant_id)).toThrow();
    expect(() => open(row.bucket_id, row.bucket_id)).toThrow();
    expect(() => seal.open(row.sealed_credential, { tenantId: row.tenant_id, signingKeyId: row.bucket_id })).toThrow();
  });

  it('goes with its bucket, and so do its keys and their history', async () => {
    await admin.patch('/buckets/files', { keyIssuer: { ...ceph, secretAccessKey: SECRET } }).expect(200);
    await rotationOf(tenant, 'done');
    await admin.delete('/buckets/files').expect(204);
    for (const table of ['buckets', 'key_issuers', 'signing_keys', 'rotations']) {
      const left = await asOwner(`SELECT FROM ${table} x JOIN tenants t ON t.id = x.tenant_id WHERE slug = $1`, [
        tenant.slug,
      ]);
      expect([table, left.length]).toEqual([table, 0]);
    }
  });

  it('stays, and the bucket with it, while a rotation is under way', async () => {
    // Attack: none; but the key that is being made would be nobody's to delete at the store.
    const rotationId = await rotationOf(tenant, 'waiting');
    const refused = await admin.patch('/buckets/files', { keyIssuer: { type: 'manual' } });
    expect(refused.body).toMatchObject({ status: 409, code: 'rotation-under-way', rotationId });
    expect((await admin.delete('/buckets/files')).body).toMatchObject({ status: 409, code: 'in-use' });
    await admin.patch('/buckets/files', { acl: 'none' }).expect(200);
  });

  it('is corrected where a rotation needs its operator; while a key of its may be at the store, only its credential', async () => {
    const keyIssuer = { ...ceph, secretAccessKey: SECRET };
    await admin.patch('/buckets/files', { keyIssuer }).expect(200);
    const rotationId = await rotationOf(tenant, 'needs-operator');
    await admin.patch('/buckets/files', { keyIssuer: { ...keyIssuer, uid: 'another' } }).expect(200);
    await asOwner(`UPDATE rotations SET intent = '{}' WHERE id = $1`, [rotationId]);
    // Attack on other people's keys: an unknown one of another user passes for the one that was being made.
    for (const change of [{ type: 'manual' }, keyIssuer])
      expect((await admin.patch('/buckets/files', { keyIssuer: change })).body).toMatchObject({ rotationId });
    await admin
      .patch('/buckets/files', { keyIssuer: { ...keyIssuer, uid: 'another', accessKeyId: 'OTHERADMIN' } })
      .expect(200);
  });
});

/** A rotation of the tenant's bucket as it stands in the database, in a state in which no worker takes it up. */
async function rotationOf({ slug }: Tenant, state: 'done' | 'waiting' | 'needs-operator'): Promise<string> {
  const [rotation] = await asOwner<{ id: string }>(
    `INSERT INTO rotations (id, tenant_id, bucket_id, mode, state, reason, requested_by, old_signing_key_id, step, exposure_before, due_at)
     SELECT gen_random_uuid(), b.tenant_id, b.id, 'graceful', $2::rotation_state, 'a test', 'admin', k.id, 'create-key', '{}', now() + interval '1 day'
       FROM buckets b JOIN tenants t ON t.id = b.tenant_id JOIN signing_keys k ON k.bucket_id = b.id
      WHERE t.slug = $1 RETURNING id`,
    [slug, state],
  );
  return rotation?.id ?? '';
}
