import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callsBy } from '../calls.js';
import { partsOf, putTo, startUploads, twoParts, type UploadsTest } from './uploads-fixture.js';

describe('What the owner of an upload may do', () => {
  let t: UploadsTest;
  const body = twoParts();
  beforeAll(async () => (t = await startUploads()));
  afterAll(() => t.stop());

  // Attack: an upload is begun, the grant is taken away, and the upload goes on as if it were still there.
  it('ends with the grant: no part’s URL, and no completion in parts; each refusal is on record', async () => {
    const folder = `reports/${randomUUID()}/`;
    const grant = await t.tenant.grant({ subject: { type: 'user', id: 'alice' }, prefix: folder });
    const issued = await t.issue({ key: `${folder}a`, mode: 'multipart', contentLength: body.length });
    const { body: parts } = await t.alice
      .post(`/uploads/${issued.uploadId}/parts`, { partNumbers: [1, 2] })
      .expect(200);
    for (const part of parts.parts) await putTo(part, partsOf(body)[part.partNumber - 1] as Uint8Array<ArrayBuffer>);
    await callsBy(t.installation.api, t.tenant.admin).delete(`/grants/${grant}`).expect(204);

    const issuing = await t.alice.post(`/uploads/${issued.uploadId}/parts`, { partNumbers: [2] }).expect(403);
    const completing = await t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).expect(403);
    expect([issuing.body.code, completing.body.code]).toEqual(['not-granted', 'not-granted']);
    expect(await t.history(issued.uploadId)).toEqual([
      'upload-url granted alice',
      'upload-parts granted alice',
      'upload-parts refused not-granted alice',
      'upload-completion refused not-granted alice',
    ]);
    expect(await t.store.get(issued.key)).toBeNull();
    // To clean up one needs no grant.
    await t.alice.delete(`/uploads/${issued.uploadId}`).expect(204);
  });

  it('takes the scope write:objects', async () => {
    const { uploadId } = await t.issue({ key: t.key(), contentLength: 5 });
    const reader = callsBy(t.installation.api, t.tenant.token('alice', 'read:objects'));
    const answers = [
      await reader.get(`/uploads/${uploadId}`),
      await reader.post(`/uploads/${uploadId}/parts`, { partNumbers: [1] }),
      await reader.get(`/uploads/${uploadId}/parts`),
      await reader.post(`/uploads/${uploadId}/completion`, {}),
      await reader.delete(`/uploads/${uploadId}`),
    ];
    expect(answers.map(({ body: { code } }) => code)).toEqual(answers.map(() => 'scope-missing'));
  });

  it('is nothing while the tenant is suspended', async () => {
    const { uploadId } = await t.issue({ key: t.key(), contentLength: 5 });
    const operator = callsBy(t.installation.api, t.installation.operator);
    await operator.patch(`/tenants/${t.tenant.slug}`, { state: 'suspended' }).expect(200);
    const answers = [
      await t.alice.get(`/uploads/${uploadId}`),
      await t.alice.post(`/uploads/${uploadId}/completion`, {}),
    ];
    expect(answers.map(({ body: { code } }) => code)).toEqual(['tenant-suspended', 'tenant-suspended']);
    await operator.patch(`/tenants/${t.tenant.slug}`, { state: 'active' }).expect(200);
  });
});
