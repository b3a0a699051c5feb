import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Response } from 'supertest';
import { bytesOf, type Calls, callsBy } from '../calls.js';
import { putTo, startUploads, twoParts, type UploadsTest } from './uploads-fixture.js';

const VERBS: Record<string, (calls: Calls, id: string) => Promise<Response>> = {
  'GET /uploads/{id}': async (calls, id) => calls.get(`/uploads/${id}`),
  'POST /uploads/{id}/parts': async (calls, id) => calls.post(`/uploads/${id}/parts`, { partNumbers: [1] }),
  'GET /uploads/{id}/parts': async (calls, id) => calls.get(`/uploads/${id}/parts`),
  'POST /uploads/{id}/completion': async (calls, id) => calls.post(`/uploads/${id}/completion`, {}),
  'DELETE /uploads/{id}': async (calls, id) => calls.delete(`/uploads/${id}`),
};

describe('An upload that is not the caller’s', () => {
  let t: UploadsTest;
  /** Alice's, in parts and by one PUT. */
  const ids: string[] = [];
  const strangers: Record<string, Calls> = {};
  beforeAll(async () => {
    t = await startUploads();
    ids.push((await t.issue({ key: t.key(), mode: 'multipart', contentLength: twoParts().length })).uploadId);
    ids.push((await t.issue({ key: t.key(), contentLength: 5 })).uploadId);
    const { installation, tenant } = t;
    const other = await installation.createTenant();
    strangers['another user of the tenant'] = callsBy(installation.api, tenant.token('bob'));
    strangers['its administrator'] = callsBy(installation.api, tenant.admin);
    strangers['the same name in another tenant'] = callsBy(installation.api, other.token('alice'));
  });
  afterAll(() => t.stop());

  describe.each(Object.keys(VERBS))('%s', (verb) => {
    const call = VERBS[verb] as (calls: Calls, id: string) => Promise<Response>;

    // Attack: trying ids, to learn which there are, or to do something with one that was overheard.
    it('is a 404 with the same bytes for everybody but its owner, as for an id that was made up or is none', async () => {
      const answers: Response[] = [];
      for (const id of ids) for (const calls of Object.values(strangers)) answers.push(await call(calls, id));
      for (const id of [randomUUID(), 'not-a-uuid', (ids[0] ?? '').toUpperCase(), `${ids[0]}x`, '..%2f', "';--"]) {
        answers.push(await call(t.alice, id));
      }
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
      expect([...new Set(answers.map(bytesOf))]).toEqual([expect.stringContaining('"code":"not-found"')]);
    });
  });

  it('is as it was after all of that, and its owner completes it', async () => {
    const issued = await t.issue({ key: t.key(), contentLength: 5 });
    await putTo(issued, 'hello');
    for (const calls of Object.values(strangers))
      for (const call of Object.values(VERBS)) expect((await call(calls, issued.uploadId)).status).toBe(404);
    expect(await t.history(issued.uploadId)).toEqual(['upload-url granted alice']);
    expect(await t.store.get(issued.key)).toBe('hello');
    await t.alice.post(`/uploads/${issued.uploadId}/completion`, {}).expect(200);
    for (const id of ids) expect((await t.alice.get(`/uploads/${id}`).expect(200)).body.state).toBe('pending');
  });
});
