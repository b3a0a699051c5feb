import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { askStore, isPerhapsAbsent } from '@countersign/objects';
import { errorOf, StandInStore } from './stand-in-store.js';
import { OUTGOING } from '../support/outgoing.js';

let store: StandInStore;
beforeEach(async () => {
  store = await StandInStore.start();
});
afterEach(() => store.stop());

const PARTS = [{ partNumber: 1, etag: '"x"' }];
const FOUND = { etag: '"x"', size: 10 };

/** Every verb, in a word. */
const VERBS: Record<string, (of: StandInStore) => Promise<{ kind: string }>> = {
  head: ({ objects }) => objects.head('key'),
  remove: ({ objects }) => objects.remove('key'),
  startUpload: ({ objects }) =>
    objects.startUpload('key', { contentType: 'a/b', disposition: null, acl: 'none', uploadId: 'id' }),
  listParts: ({ objects }) => objects.listParts('key', 'id'),
  completeUpload: ({ objects }) => objects.completeUpload('key', 'id', PARTS, { isNew: false }),
  abortUpload: ({ objects }) => objects.abortUpload('key', 'id'),
  startedUploads: ({ objects }) => objects.startedUploads('key'),
  sha256: ({ objects }) => objects.sha256('key', FOUND),
};

describe.each(Object.entries(VERBS))('%s', (name, verb) => {
  it('follows no redirect', async () => {
    // Attack: an endpoint that sends us on to a host of the network that we run in.
    store.answer = (_, response) => response.writeHead(307, { location: '/inside' }).end(errorOf('TemporaryRedirect'));
    expect(await verb(store)).toMatchObject({ kind: 'refused', status: 307 });
    expect(store.asked.filter(({ line }) => line.includes('/inside'))).toEqual([]);
  });

  it('shows nothing that the store says but a code', async () => {
    // Attack: a store that answers with what it was sent, the signature among it, so that it is kept and shown.
    store.answer = ({ headers }, response) => {
      const signature = /Signature=([0-9a-f]{64})/.exec(headers.authorization ?? '')?.[1] ?? '';
      response.writeHead(403, signature).end(errorOf(signature));
    };
    const answer = await verb(store);
    expect(answer).toMatchObject({ kind: 'refused', status: 403 });
    expect(JSON.stringify(answer)).not.toMatch(/[0-9a-f]{60}/);
  });

  it('is a refusal where the store hangs up', async () => {
    store.answer = (_, response) => response.destroy();
    const answer = await verb(store);
    expect(answer).toMatchObject({ kind: 'refused', status: null, code: '' });
    expect(answer).toHaveProperty('why', expect.stringMatching(/^no answer \(\w+\)$/));
  });

  it('ends with whoever asks', async () => {
    store.answer = () => store.abort();
    expect(await verb(store)).toMatchObject({ kind: 'refused', why: 'no answer (not in time)' });
  });

  if (name !== 'head' && name !== 'sha256') {
    it('does not let the store fill our memory', async () => {
      const block = Buffer.alloc(1024 ** 2, '<a>');
      store.answer = (_, response) => {
        const send = (): void => void (response.destroyed || (response.write(block), setImmediate(send)));
        response.writeHead(200);
        send();
      };
      expect(await verb(store)).toMatchObject({
        kind: 'refused',
        why: expect.stringMatching(/^no answer \(it sent more than \d+ bytes\)$/),
      });
    }, 15_000);
  }

  if (!['remove', 'abortUpload', 'head', 'sha256'].includes(name)) {
    it('takes a page of something else for no answer', async () => {
      store.answer = (_, response) =>
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome</html>');
      expect(await verb(store)).toMatchObject({ kind: 'refused', status: null });
    });
  }
});

describe('head', () => {
  it('asks again by a GET why it was refused, as the answer to a HEAD has no body', async () => {
    // Otherwise a key that is dead looks like one that may not list the bucket, and a dead one like an upload that has not come.
    const codes = { AccessDenied: true, InvalidAccessKeyId: false };
    for (const [code, isAbsence] of Object.entries(codes)) {
      store.answer = (_, response) => response.writeHead(403).end(errorOf(code));
      const looked = await store.objects.head('key');
      expect(looked).toEqual({ kind: 'refused', status: 403, code, why: `403 ${code}` });
      expect(looked.kind === 'refused' && isPerhapsAbsent(looked)).toBe(isAbsence);
    }
    expect(store.asked[1]).toMatchObject({ line: 'GET /bucket/key?x-id=GetObject', headers: { range: 'bytes=0-0' } });
  });

  it('takes only a SHA-256 of the whole object for one', async () => {
    // Amazon S3 User Guide: that of a multipart upload is a checksum of the parts' checksums.
    const whole = 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=';
    const seen = async (headers: object) => {
      store.answer = (_, response) => response.writeHead(200, { etag: 'x', 'content-length': 4, ...headers }).end();
      return store.objects.head('key');
    };
    expect(await seen({ 'x-amz-checksum-sha256': whole, 'x-amz-checksum-type': 'FULL_OBJECT' })).toEqual({
      kind: 'found',
      size: 4,
      contentType: '',
      etag: '"x"',
      lastModified: null,
      uploadId: null,
      checksumSha256: whole,
    });
    expect(store.asked[0]?.headers).toMatchObject({ 'x-amz-checksum-mode': 'ENABLED' });
    expect(await seen({ 'x-amz-checksum-sha256': whole })).toMatchObject({ checksumSha256: whole });
    for (const headers of [
      { 'x-amz-checksum-sha256': `${whole}-2` },
      { 'x-amz-checksum-sha256': whole, 'x-amz-checksum-type': 'COMPOSITE' },
      { 'x-amz-checksum-crc32': 'AAAAAA==' },
    ]) {
      expect(await seen(headers)).toMatchObject({ kind: 'found', checksumSha256: null });
    }
  });
});

describe('startUpload', () => {
  it('pins what an upload URL pins', async () => {
    store.answer = (_, response) =>
      response.end('<InitiateMultipartUploadResult><UploadId>theirs</UploadId></InitiateMultipartUploadResult>');
    const pinned = { contentType: 'a/b', disposition: 'attachment', acl: 'private', uploadId: 'ours' } as const;
    expect(await store.objects.startUpload('key', pinned)).toEqual({ kind: 'started', storeUploadId: 'theirs' });
    const { headers } = store.asked[0]!;
    expect(headers).toMatchObject({
      'content-type': 'a/b',
      'content-disposition': 'attachment',
      'x-amz-acl': 'private',
      'x-amz-meta-countersign-upload': 'ours',
    });
    await store.objects.startUpload('key', { ...pinned, disposition: null, acl: 'none' });
    const names = Object.keys(store.asked[1]!.headers);
    expect(names).not.toEqual(expect.arrayContaining(['content-disposition']));
    expect(names).not.toEqual(expect.arrayContaining(['x-amz-acl']));
  });
});

describe('completeUpload', () => {
  const complete = (isNew = false) => store.objects.completeUpload('key', 'id', PARTS, { isNew });

  it('hears the error inside of a 200', async () => {
    // Amazon S3 API Reference, "CompleteMultipartUpload": white space is sent while it works, and the error after it.
    store.answer = (_, response) => response.writeHead(200).end(`   \n${errorOf('InternalError')}`);
    expect(await complete()).toMatchObject({ kind: 'refused', code: 'InternalError' });
    store.answer = (_, response) => response.writeHead(200).end(errorOf('NoSuchUpload'));
    expect(await complete()).toEqual({ kind: 'gone' });
    store.answer = (_, response) => response.writeHead(200).end();
    expect(await complete()).toMatchObject({ kind: 'refused' });
  });

  it('tells the refusals apart', async () => {
    const answers = [
      [412, 'PreconditionFailed', 'exists'],
      [409, 'ConditionalRequestConflict', 'conflict'],
      [404, 'NoSuchUpload', 'gone'],
      [400, 'InvalidPart', 'wrong-parts'],
      [400, 'InvalidPartOrder', 'wrong-parts'],
      [400, 'EntityTooSmall', 'wrong-parts'],
      [404, 'NoSuchBucket', 'refused'],
      [503, 'SlowDown', 'refused'],
    ] as const;
    for (const [status, code, kind] of answers) {
      store.answer = (_, response) => response.writeHead(status).end(errorOf(code));
      expect([code, (await complete()).kind]).toEqual([code, kind]);
    }
  });

  it('does without the condition at a store that does not know it, and only there', async () => {
    store.answer = ({ headers }, response) =>
      headers['if-none-match'] === undefined
        ? response.end('<CompleteMultipartUploadResult><Key>key</Key><ETag>x-1</ETag></CompleteMultipartUploadResult>')
        : response.writeHead(501).end(errorOf('NotImplemented'));
    expect(await complete(true)).toEqual({ kind: 'completed', etag: '"x-1"' });
    expect(store.asked.map(({ headers }) => headers['if-none-match'])).toEqual(['*', undefined]);
  });
});

describe('listings', () => {
  it('have what is on every page', async () => {
    const pages = [
      '<IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker>' +
        '<Part><PartNumber>1</PartNumber><Size>5</Size><ETag>&quot;a&quot;</ETag></Part>' +
        '<Part><PartNumber>2</PartNumber><Size>6</Size><ETag>b</ETag></Part>',
      '<IsTruncated>false</IsTruncated><Part><PartNumber>9</PartNumber><Size>0</Size><ETag>c</ETag></Part>',
    ];
    store.answer = (_, response) => response.end(`<ListPartsResult>${pages.shift()}</ListPartsResult>`);
    expect(await store.objects.listParts('key', 'id')).toEqual({
      kind: 'listed',
      parts: [
        { partNumber: 1, size: 5, etag: '"a"' },
        { partNumber: 2, size: 6, etag: '"b"' },
        { partNumber: 9, size: 0, etag: '"c"' },
      ],
    });
    expect(store.asked.map(({ line }) => /part-number-marker=\d+/.exec(line)?.[0])).toEqual([
      'part-number-marker=0',
      'part-number-marker=2',
    ]);
  });

  it('have the uploads of every page, and of no other key', async () => {
    // Attack: the uploads of other keys, which begin like this one, would be aborted with it.
    const upload = (key: string, id: string) =>
      `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>2027-01-31T12:00:00.000Z</Initiated></Upload>`;
    const pages = [
      `<IsTruncated>true</IsTruncated><NextKeyMarker>key</NextKeyMarker><NextUploadIdMarker>b c</NextUploadIdMarker>${upload('key', 'a')}${upload('key-1', 'x')}`,
      `<IsTruncated>false</IsTruncated>${upload('key', 'b')}${upload('key/1', 'y')}`,
    ];
    store.answer = (_, response) =>
      response.end(`<ListMultipartUploadsResult>${pages.shift()}</ListMultipartUploadsResult>`);
    const initiatedAt = new Date('2027-01-31T12:00:00Z');
    expect(await store.objects.startedUploads('key')).toEqual({
      kind: 'listed',
      uploads: [
        { storeUploadId: 'a', initiatedAt },
        { storeUploadId: 'b', initiatedAt },
      ],
    });
    expect(store.asked[1]?.line).toMatch(/key-marker=key&.*upload-id-marker=b%20c/);
  });

  it('end, though the pages of the store do not', async () => {
    store.answer = (_, response) =>
      response.end('<X><IsTruncated>true</IsTruncated><NextPartNumberMarker>1</NextPartNumberMarker></X>');
    expect(await store.objects.listParts('key', 'id')).toMatchObject({ kind: 'refused', why: 'an unreadable answer' });
    expect(await store.objects.startedUploads('key')).toMatchObject({ kind: 'refused' });
    expect(store.asked.length).toBeLessThan(300);
  });
});

describe('sha256', () => {
  const stop = new AbortController();

  it('reads no further than the object was long', async () => {
    // Attack: a store that sends without end keeps a worker busy for ever.
    store.answer = (_, response) => response.writeHead(200).write('more than the ten bytes');
    expect(await store.objects.sha256('key', FOUND)).toMatchObject({
      why: 'no answer (it sent more than the object has)',
    });
  });

  it('does not wait for a byte now and then', async () => {
    // Attack: a store that sends just enough not to be idle holds a worker for years.
    store.answer = (_, response) => {
      response.writeHead(200, { 'content-length': 10 });
      const sending = setInterval(() => (response.destroyed ? clearInterval(sending) : response.write('x')), 100);
    };
    const answer = await store.objects.sha256('key', { ...FOUND, idleMs: 250 });
    expect(answer).toMatchObject({ kind: 'refused', why: 'no answer (it sends too slowly)' });
  });

  it('gives no hash of what broke off', async () => {
    store.answer = (_, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('five.');
      setTimeout(() => response.destroy(), 50);
    };
    expect(await store.objects.sha256('key', FOUND)).toMatchObject({ kind: 'refused', status: null });
  });

  it('waits for the next byte, and not for ever', async () => {
    store.answer = (_, response) => {
      response.writeHead(200, { 'content-length': 10 }).write('five.');
      setTimeout(() => response.write('more'), 500);
    };
    const startedAt = performance.now();
    const answer = await store.objects.sha256('key', { ...FOUND, idleMs: 2_000 });
    expect(answer).toMatchObject({ kind: 'refused', why: 'no answer (not in time)' });
    expect(performance.now() - startedAt).toBeGreaterThan(2_250);
  });

  it('tells how far it is, and ends when it is told to', async () => {
    const body = 'ten bytes.';
    store.answer = (_, response) => {
      response.writeHead(200, { 'content-length': 10 }).write(body.slice(0, 4));
      setTimeout(() => response.write(body.slice(4, 8)), 1_200);
    };
    const heard: number[] = [];
    const reading = store.objects.sha256('key', {
      ...FOUND,
      signal: stop.signal,
      onProgress: (bytes) => {
        heard.push(bytes);
        stop.abort();
      },
    });
    expect(await reading).toMatchObject({ kind: 'refused', why: 'no answer (not in time)' });
    expect(heard).toEqual([8]);
    expect(store.asked[0]?.headers).toMatchObject({ 'if-match': '"x"', 'accept-encoding': 'identity' });
  });
});

describe('askStore', () => {
  it('shows no code that a signature would fit into', async () => {
    // Attack: a store that answers with the URL's signature, 64 characters, in place of a code: codes are shown, and kept.
    store.answer = (_, response) => response.writeHead(403).end(errorOf('0123456789abcdef'.repeat(4)));
    expect(await askStore(OUTGOING, `${store.endpoint}/bucket/key`, { method: 'GET' })).toMatchObject({
      status: 403,
      code: '',
    });
    store.answer = (_, response) => response.writeHead(403).end(errorOf('AccessDenied'));
    expect(await askStore(OUTGOING, `${store.endpoint}/bucket/key`, { method: 'GET' })).toMatchObject({
      code: 'AccessDenied',
    });
  });
});
