import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { UploadError, type UploadProgress } from '@countersign/client';
import { MIB, progressLog, rejection, UploadTest } from './upload-fixture.js';

// They move many megabytes, on machines that have other things to do.
jest.setTimeout(90_000);

let t: UploadTest;
beforeAll(async () => {
  t = await UploadTest.start();
});
afterAll(() => t.stop());

const QUICKLY = { backoffMs: 20 };

describe('upload goes on', () => {
  it.each([
    ['put', 5 * MIB, 2 * MIB],
    ['multipart', 20 * MIB, 5 * MIB],
  ] as const)('after connections that are lost in the middle: %s', async (mode, size, cutAt) => {
    const { file, bytes } = await t.file(size);
    const place = t.freshPlace();
    const { told, onProgress } = progressLog();
    const { cuts } = t.proxy;
    t.proxy.cutAfter(cutAt);
    t.proxy.cutAfter(MIB);

    const verified = await (await t.client()).upload(file, { ...place, mode, onProgress, ...QUICKLY });

    expect(verified.state).toBe('verified');
    expect(t.proxy.cuts).toBe(cuts + 2);
    expect(((await t.stored(place)) as Buffer).equals(bytes)).toBe(true);
    const sent = told.map(({ sentBytes }) => sentBytes);
    expect(sent).toEqual([...new Set(sent)].sort((one, other) => one - other));
    expect(sent.at(-1)).toBe(size);
  });

  it('where the object has come and only the answer was lost: the second try meets it, and it is ours', async () => {
    const { file } = await t.file(2 * MIB);
    const { cuts } = t.proxy;
    t.proxy.loseAnswer();
    const verified = await (await t.client()).upload(file, { ...t.freshPlace(), ...QUICKLY });
    expect(verified).toMatchObject({ state: 'verified', size: 2 * MIB });
    expect(t.proxy.cuts).toBe(cuts + 1);
  });

  it('after answers of the service that were lost or say 503', async () => {
    const faults = ['lost', 503, 'lost', 503];
    const client = await t.client(async (request) => {
      const fault = new URL(request.url).pathname.startsWith('/uploads/') ? faults.shift() : undefined;
      if (fault === undefined) return fetch(request);
      if (fault === 503) return new Response('{}', { status: 503, headers: { 'retry-after': '0' } });
      await fetch(request);
      throw new TypeError('fetch failed');
    });
    const { file } = await t.file(9 * MIB);
    const verified = await client.upload(file, { ...t.freshPlace(), mode: 'multipart', ...QUICKLY });
    expect(verified.state).toBe('verified');
    expect(faults).toEqual([]);
  });

  it('with a new URL where the store refuses that of a part', async () => {
    const asked: number[][] = [];
    const client = await t.client(
      changingParts(asked, (part) => {
        // As after its end, or that of its signing key.
        if (asked.length === 1 && part.partNumber === 2)
          part.url = part.url.replace(/Signature=..../, 'Signature=0000');
      }),
    );
    const { file, bytes } = await t.file(20 * MIB);
    const place = t.freshPlace();
    await client.upload(file, { ...place, mode: 'multipart', ...QUICKLY });
    expect(asked).toEqual([[1, 2, 3], [2]]);
    expect(((await t.stored(place)) as Buffer).equals(bytes)).toBe(true);
  });

  it('with new URLs before those of the parts end', async () => {
    const asked: number[][] = [];
    const client = await t.client(
      changingParts(asked, (part) => {
        if (asked.length === 1) part.expiresAt = new Date(Date.now() + 10_500).toISOString();
      }),
    );
    const { file } = await t.file(20 * MIB);
    // Time passes while the first part is on its way.
    const onProgress = ({ sentBytes }: UploadProgress): void => void (sentBytes === 8 * MIB && standStill(600));
    await client.upload(file, { ...t.freshPlace(), mode: 'multipart', concurrency: 1, onProgress, ...QUICKLY });
    expect(asked).toEqual([
      [1, 2, 3],
      [2, 3],
    ]);
  });

  it('until it is refused: a URL that is refused again is not asked for a third time', async () => {
    const asked: number[][] = [];
    const client = await t.client(
      changingParts(asked, (part) => (part.url = part.url.replace(/Signature=..../, 'Signature=0000'))),
    );
    const { file } = await t.file(6 * MIB);
    const upload = client.upload(file, { ...t.freshPlace(), mode: 'multipart', ...QUICKLY });
    expect((await rejection(upload, UploadError)).cause).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
    expect(asked).toEqual([[1], [1]]);
  });
});

describe('upload gives up', () => {
  it('where connections are lost again and again, with an error that says which upload to resume', async () => {
    const { file, bytes } = await t.file(20 * MIB);
    const place = t.freshPlace();
    const client = await t.client();
    for (let cut = 0; cut < 12; cut++) t.proxy.cutAfter(MIB);
    const options = { ...place, mode: 'multipart' as const, retries: 2, ...QUICKLY };
    const error = await rejection(client.upload(file, options), UploadError);
    t.proxy.heal();
    expect((error.cause as Error).name).toBe('TypeError');
    expect(await client.upload(file, { resume: error.uploadId })).toMatchObject({ state: 'verified', ...place });
    expect(((await t.stored(place)) as Buffer).equals(bytes)).toBe(true);
  });
});

type Part = { partNumber: number; url: string; expiresAt: string };

/** Calls the service; notes which parts' URLs are asked for, and lets a test change them on their way to the client. */
function changingParts(asked: number[][], change: (part: Part) => void) {
  return async (request: Request): Promise<Response> => {
    if (request.method !== 'POST' || !request.url.endsWith('/parts')) return fetch(request);
    asked.push(((await request.clone().json()) as { partNumbers: number[] }).partNumbers);
    const response = await fetch(request);
    const answer = (await response.json()) as { parts: Part[] };
    for (const part of answer.parts) change(part);
    return Response.json(answer, { status: response.status });
  };
}

const standStill = (milliseconds: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
