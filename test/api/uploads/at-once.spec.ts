import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation } from '../../support/installation.js';
import { asOwner, type Calls, callsBy } from '../calls.js';
import { partsOf, putTo, sha256, startUploads, twoParts, type UploadsTest } from './uploads-fixture.js';

describe('At the same time', () => {
  let t: UploadsTest;
  let replica: Installation;
  let elsewhere: Calls;
  beforeAll(async () => {
    t = await startUploads();
    replica = await install();
    elsewhere = callsBy(replica.api, t.tenant.token('alice'));
  });
  afterAll(async () => {
    await replica.close();
    await t.stop();
  });

  const fifty = (id: string, replicas: Calls[]) =>
    Promise.all(
      Array.from({ length: 50 }, async (_, n) =>
        (replicas[n % replicas.length] as Calls).post(`/uploads/${id}/completion`, {}),
      ),
    );

  it.each([
    ['one process', () => [t.alice]],
    ['two replicas', () => [t.alice, elsewhere]],
  ])(
    '50 completions at %s are one HEAD, one hash and one row of the ledger, and 50 equal answers',
    async (_, replicas) => {
      const issued = await t.issue({ key: t.key(), contentLength: 5, checksumSha256: sha256('hello') });
      await putTo(issued, 'hello');
      t.requests.length = 0;
      const answers = await fifty(issued.uploadId, replicas());
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
      expect(t.requests).toEqual(['HeadObject', 'GetObject']);
      expect(await t.history(issued.uploadId)).toEqual(['upload-url granted alice', 'upload.verified granted alice']);
    },
  );

  it('50 completions of a multipart upload put its parts together once', async () => {
    const body = twoParts();
    const issued = await t.issue({ key: t.key(), mode: 'multipart', contentLength: body.length });
    const { body: parts } = await t.alice
      .post(`/uploads/${issued.uploadId}/parts`, { partNumbers: [1, 2] })
      .expect(200);
    for (const part of parts.parts) await putTo(part, partsOf(body)[part.partNumber - 1] as Uint8Array<ArrayBuffer>);
    t.requests.length = 0;
    const answers = await fifty(issued.uploadId, [t.alice, elsewhere]);
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(t.requests).toEqual(['HeadObject', 'ListParts', 'CompleteMultipartUpload', 'HeadObject']);
  });

  it('a rejected object is removed once, and nobody is told otherwise', async () => {
    const issued = await t.issue({ key: t.key(), contentLength: 5 });
    await t.store.put(issued.key, 'hello!', { uploadId: issued.uploadId });
    t.requests.length = 0;
    const answers = await fifty(issued.uploadId, [t.alice, elsewhere]);
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(t.requests.filter((what) => what === 'DeleteObject')).toHaveLength(1);
  });

  it('an abort waits for a completion that is under way, and then there is a verdict', async () => {
    const issued = await t.issue({ key: t.key(), contentLength: 5 });
    await putTo(issued, 'hello');
    const held = holdAt(t, 'HeadObject');
    const completing = t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).then(({ status }) => status);
    await held.reached;
    const aborting = elsewhere.delete(`/uploads/${issued.uploadId}`).then(({ status }) => status);
    await new Promise((resolve) => setTimeout(resolve, 300));
    held.release();
    expect([await completing, await aborting]).toEqual([200, 409]);
    expect(await t.store.get(issued.key)).toBe('hello');
  });

  it('a completion while an abort is under way is told that there is nothing to complete', async () => {
    const issued = await t.issue({ key: t.key(), contentLength: 5 });
    await putTo(issued, 'hello');
    const held = holdAt(t, 'DeleteObject');
    const aborting = t.alice.delete(`/uploads/${issued.uploadId}`).then(({ status }) => status);
    await held.reached;
    const { body } = await elsewhere.post(`/uploads/${issued.uploadId}/completion`, {}).expect(409);
    held.release();
    expect(body.code).toBe('wrong-state');
    expect(await aborting).toBe(204);
    expect(await t.store.get(issued.key)).toBeNull();
  });

  it('who has lost the lease records nothing: the other one’s verdict stands', async () => {
    const issued = await t.issue({ key: t.key(), contentLength: 5 });
    await putTo(issued, 'hello');
    const held = holdAt(t, 'HeadObject');
    const completing = t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).then((response) => response);
    await held.reached;
    // As if this process had stood still for longer than its lease.
    await asOwner(`UPDATE uploads SET lease_until = now() WHERE id = $1`, [issued.uploadId]);
    t.door.keeper = () => Promise.resolve(true);
    const { text } = await elsewhere.post(`/uploads/${issued.uploadId}/completion`, {}).expect(200);
    held.release();
    expect((await completing).body).toMatchObject({ status: 409, code: 'upload-incomplete' });
    expect((await t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).expect(200)).text).toBe(text);
    expect(await t.history(issued.uploadId)).toEqual(['upload-url granted alice', 'upload.verified granted alice']);
  });
});

/** The next such request to the store is held at the door until it is released. */
function holdAt(t: UploadsTest, operation: string): { reached: Promise<void>; release: () => void } {
  let reach = (): void => undefined;
  let release = (): void => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  t.door.keeper = async ({ what, when }) => {
    if (what !== operation || when !== 'before') return true;
    t.door.keeper = () => Promise.resolve(true);
    reach();
    await released;
    return true;
  };
  return { reached, release };
}
