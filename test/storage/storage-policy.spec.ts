import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { callsBy } from '../api/calls.js';
import { clientOf, makeBucket, refusalOf, type StoreBucket } from './store-bucket.js';
import { put, StorageTest } from './storage-fixture.js';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';

const SALARIES = 'salaries';
const isCeph = process.env['STORAGE_KIND'] === 'ceph-rgw';

describe('the generated policy, put on the bucket as it is', () => {
  let bucket: Pick<StoreBucket, 'name' | 'putPolicy'>;
  let t: StorageTest;
  let prefix: string;

  beforeEach(async () => {
    // The development store has no policies: it refuses such requests by itself.
    bucket = isCeph ? await makeBucket() : { name: process.env['STORAGE_BUCKET'] ?? '', putPolicy: async () => {} };
  });
  afterEach(() => t.stop());

  async function start(registration: Record<string, unknown>): Promise<void> {
    prefix = `${randomUUID()}/`;
    t = await StorageTest.start({ bucket: bucket.name, keyPrefix: prefix, ...registration });
  }

  async function putPolicy(): Promise<void> {
    const admin = callsBy(t.installation.api, t.tenant.admin);
    const { body } = await admin.get('/buckets/files/storage-policy').expect(200);
    await bucket.putPolicy(body.bucketPolicy);
  }

  /** What alice finds under her own key, once she has sent an upload URL of hers with the address of an object of bob's. */
  async function copyOfBobs(): Promise<string | number> {
    const wish = {
      bucket: 'files',
      key: 'users/bob/secret',
      contentType: 'text/plain',
      contentLength: SALARIES.length,
    };
    const bobs = await t.ask('/upload-url', 'bob', wish).expect(201);
    expect([200, 412]).toContain((await put(bobs.body, SALARIES)).status);
    const key = t.freshKey();
    await put(await t.uploadUrl(key, 'mine'), 'mine', {
      'x-amz-copy-source': `/${bucket.name}/${prefix}users/bob/secret`,
    });
    return t.read(key);
  }

  it('refuses an unsigned x-amz-copy-source, though the signing key’s user owns the bucket', async () => {
    // Attack: alice, who may upload, copies what only bob may read into a folder of hers.
    await start({});
    if (isCeph) expect(await copyOfBobs()).toBe(SALARIES);
    await putPolicy();
    expect(await copyOfBobs()).not.toBe(SALARIES);
    expect(await t.read(await t.store('still works'))).toBe('still works');
  });

  if (!isCeph) return;

  it('refuses an unsigned ACL or grant, where none is pinned', async () => {
    // Attack: alice publishes for ever what she may upload.
    await start({ acl: 'none' });
    const everyone = 'uri=http://acs.amazonaws.com/groups/global/AllUsers';
    const publish = async (header: string, value: string) => {
      const key = t.freshKey();
      await put(await t.uploadUrl(key, 'mine'), 'mine', { [header]: value });
      return (await fetch(`${process.env['STORAGE_ENDPOINT']}/${bucket.name}/${prefix}${key}`)).status;
    };
    const ways = [
      ['x-amz-acl', 'public-read'],
      ['x-amz-acl', 'public-read-write'],
      ['x-amz-grant-read', everyone],
      ['x-amz-grant-full-control', everyone],
    ] as const;
    for (const [header, value] of ways) expect([header, await publish(header, value)]).toEqual([header, 200]);
    await putPolicy();
    for (const [header, value] of ways) expect([header, await publish(header, value)]).toEqual([header, 403]);
  });

  it('lets a user who owns nothing in to the prefix, and to nothing else', async () => {
    // Attack: none by a URL; but a signing key that leaks opens what it may, and no more.
    const env = process.env;
    const credentials = {
      accessKeyId: env['STORAGE_OTHER_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: env['STORAGE_OTHER_SECRET_ACCESS_KEY'] ?? '',
    };
    const keyIssuer = {
      type: 'ceph-rgw',
      endpoint: env['STORAGE_ENDPOINT'],
      uid: env['STORAGE_OTHER_UID'],
      accessKeyId: 'ADMINKEY',
      secretAccessKey: 'never-used-here',
    };
    await start({ credentials, keyIssuer });
    await putPolicy();
    expect(await t.read(await t.store('works'))).toBe('works');
    expect(await copyOfBobs()).not.toBe(SALARIES);

    const own = { Bucket: bucket.name, Key: `${prefix}users/alice/leaked` };
    const elsewhere = { ...own, Key: `${prefix.slice(0, -1)}-of-another/a` };
    const leaked = clientOf(credentials);
    expect(await refusalOf(leaked.send(new PutObjectCommand({ ...own, Body: 'x' })))).toBeNull();
    for (const command of [
      leaked.send(new PutObjectCommand({ ...elsewhere, Body: 'x' })),
      leaked.send(new GetObjectCommand(elsewhere)),
      leaked.send(new DeleteObjectCommand(elsewhere)),
      leaked.send(new ListObjectsV2Command({ Bucket: bucket.name, Prefix: prefix })),
    ]) {
      expect(await refusalOf(command)).toBe('AccessDenied');
    }

    // What a rejected upload left has to be taken away, and what an upload in parts left that never began.
    expect(await refusalOf(leaked.send(new DeleteObjectCommand(own)))).toBeNull();
    const started = new ListMultipartUploadsCommand({ Bucket: bucket.name, Prefix: prefix });
    expect(await refusalOf(leaked.send(started))).toBeNull();

    const { body } = await callsBy(t.installation.api, t.tenant.admin).post('/buckets/files/check', {}).expect(200);
    const { checks } = body as { checks: { name: string; result: string }[] };
    for (const name of ['removal', 'copy-source'])
      expect(checks.find((each) => each.name === name)?.result).toBe('passed');
  });
});
