// The typed client from Node, on the run's store: small, large, by a form, and what was not what was promised.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type UploadOptions, UploadRejectedError } from '@countersign/client';
import { MIB, rejection, UploadTest } from '../client/upload-fixture.js';

jest.setTimeout(120_000);

let t: UploadTest;
beforeAll(async () => {
  t = await UploadTest.start();
});
afterAll(() => t.stop());

const isEmbedded = process.env['STORAGE_KIND'] === 'embedded';

describe('From Node, upload stores', () => {
  it.each<[string, number, Partial<UploadOptions>]>([
    ['1 byte', 1, {}],
    ['5 MiB, with a checksum', 5 * MIB, { checksum: true }],
    ['5 MiB in one part', 5 * MIB, { mode: 'multipart' }],
  ])('%s', async (_name, size, options) => {
    const { file, bytes } = await t.file(size);
    const place = t.freshPlace();
    const verified = await (await t.client()).upload(file, { ...place, ...options });
    expect(verified).toMatchObject({ state: 'verified', size, ...place });
    if ('checksum' in options) expect(verified.verified).toContain('checksum');
    expect(((await t.stored(place)) as Buffer).equals(bytes)).toBe(true);
  });

  it('200 MiB in parts', async () => {
    const { file, bytes } = await t.file(200 * MIB);
    const sha256 = createHash('sha256').update(bytes).digest('base64');
    const place = t.freshPlace();
    const verified = await (await t.client()).upload(file, { ...place, checksum: sha256 });
    expect(verified).toMatchObject({ state: 'verified', size: 200 * MIB, checksumSha256: sha256 });
    expect(verified.verified).toEqual(expect.arrayContaining(['size', 'type', 'checksum']));
    expect(((await t.stored(place)) as Buffer).equals(bytes)).toBe(true);
  });

  // The embedded store has no POST policies.
  if (!isEmbedded) {
    it.each([0, 1, 5 * MIB])('%i bytes by a form', async (size) => {
      const { file, bytes } = await t.file(size);
      const place = t.freshPlace();
      const verified = await (await t.client()).upload(file, { ...place, mode: 'post' });
      expect(verified).toMatchObject({ state: 'verified', size, ...place });
      expect(((await t.stored(place)) as Buffer).equals(bytes)).toBe(true);
    });
  }
});

// The embedded store compares at once, and refuses the PUT; Ceph takes it, and the completion finds out.
const modes = isEmbedded ? (['multipart'] as const) : (['put', 'multipart'] as const);

it.each(modes)('From Node, a file that is not what its checksum says is rejected, and gone (%s)', async (mode) => {
  const { file } = await t.file(6 * MIB);
  const place = t.freshPlace();
  const checksum = createHash('sha256').update('what it was before').digest('base64');
  const error = await rejection((await t.client()).upload(file, { ...place, mode, checksum }), UploadRejectedError);
  expect(error.mismatches).toMatchObject([{ what: 'checksum', expected: checksum }]);
  expect(await t.stored(place)).toBe(404);
});
