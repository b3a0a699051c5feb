import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { filenameFault, keyFault } from '@countersign/permissions';
import contentDisposition from 'content-disposition';
import fc from 'fast-check';
import { type ItemAnswer, itemsOf } from '../api/batches.js';
import { callsBy } from '../api/calls.js';
import { LITERAL_KEYS } from '../api/literal-keys.js';
import { install, type Installation, type Tenant } from '../support/installation.js';
import { nastyText } from './fuzz/nasty.js';
import { proof } from './record.js';
import { scale } from './scale.js';
import { contentTypes, filenames, keys } from '../signing/cases.js';

const named = proof(
  'A URL names the object that was asked for, at the bucket’s own host, and nothing that its names hold becomes more than a name',
  'classic and generated keys, filenames and types, with everything that encoders, parsers and headers trip over; what is asked, what is signed and what a URL parser reads are held together; then through the store',
  'keys with ?, # and % in them taken for plain ones; a filename put into its header as it is',
);

/** Of a URL of ours. Anything else in the query would be a parameter that somebody smuggled in. */
const ALLOWED = new Set([
  'X-Amz-Algorithm',
  'X-Amz-Content-Sha256',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-Signature',
  'X-Amz-SignedHeaders',
  'X-Amz-Security-Token',
  'response-content-disposition',
  'response-content-type',
  'versionId',
  'x-id',
]);

const COUNT = scale({ short: 1_000, full: 50_000 });

describe('Names', () => {
  let installation: Installation;
  let tenant: Tenant;
  let place: { endpoint: string; bucket: string; keyPrefix: string };
  let cases = 0;
  let issued = 0;
  let read = 0;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
    const { body } = await callsBy(installation.api, tenant.admin).get('/buckets/files').expect(200);
    place = body as typeof place;
  });
  afterAll(async () => {
    await installation.close();
    named.record({ cases, figure: `0 of ${issued} URLs at another host, path or query; ${read} objects read back` });
  });

  const ask = async (path: string, items: object[]) => {
    const { body } = await callsBy(installation.api, tenant.token('alice')).post(path, { items }).expect(200);
    return itemsOf({ body });
  };

  /** The one object that a URL may name, by what any client's parser reads in it. */
  function expectNamed({ url }: ItemAnswer['body'], key: string): URL {
    const parsed = new URL(url ?? '');
    expect(parsed.href).toBe(url);
    expect(parsed.origin).toBe(new URL(place.endpoint).origin);
    expect([parsed.username, parsed.password, parsed.hash]).toEqual(['', '', '']);
    expect(decodeURIComponent(parsed.pathname)).toBe(`/${place.bucket}/${place.keyPrefix}${key}`);
    const names = [...parsed.searchParams.keys()];
    expect(names.filter((name) => !ALLOWED.has(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
    issued++;
    return parsed;
  }

  it('of objects are signed as they were given, or refused with the field: never repaired', async () => {
    // Attack: a key that somebody on the way decodes, joins, trims or resolves, so that another object is meant than was allowed.
    const generated = fc.sample(
      fc.oneof(
        keys,
        nastyText,
        fc.tuple(keys, nastyText).map((parts) => parts.join('/')),
      ),
      COUNT,
    );
    for (const batch of inBatches([...LITERAL_KEYS, ...generated])) {
      const answers = await ask(
        '/download-urls',
        batch.map((key) => ({ bucket: 'files', key })),
      );
      for (const [n, { status, body }] of answers.entries()) {
        const key = batch[n]!;
        cases++;
        if (status === 201) expectNamed(body, key);
        const isTooLong = Buffer.byteLength(place.keyPrefix + key) > 1_024;
        const fault = keyFault(key);
        expect([key, status]).toEqual([key, fault !== null ? 400 : isTooLong ? 422 : 201]);
        if (status !== 201) expect(body).toMatchObject({ errors: [{ pointer: expect.stringMatching(/\/key$/) }] });
      }
    }
  });

  it('of files say only that name, to whoever parses the header that the store answers with', async () => {
    // Attack: a filename that ends its quotes, its header or its URL, and begins something of its own.
    const generated = fc.sample(
      fc.tuple(fc.oneof(filenames, nastyText), fc.option(contentTypes, { nil: undefined })),
      COUNT,
    );
    for (const batch of inBatches(generated)) {
      const items = batch.map(([filename, contentType]) => ({ bucket: 'files', key: 'a', filename, contentType }));
      const answers = await ask('/download-urls', items);
      for (const [n, { status, body }] of answers.entries()) {
        const [filename, contentType] = batch[n]!;
        cases++;
        expect([filename, status]).toEqual([filename, filenameFault(filename) === null ? 201 : 400]);
        if (status !== 201) continue;
        const { searchParams } = expectNamed(body, 'a');
        const { type, parameters } = contentDisposition.parse(searchParams.get('response-content-disposition') ?? '');
        expect(['attachment', 'inline']).toContain(type);
        expect(parameters).toEqual({ filename });
        expect(searchParams.get('response-content-type')).toBe(contentType ?? null);
      }
    }
  });

  it('reach the store as they are: the object that is read is the one that was named', async () => {
    // Attack: two names that are one object to somebody, or one name that is two.
    const some = [...LITERAL_KEYS, ...fc.sample(keys, scale({ short: 40, full: 2_000 }))];
    const fitting = [...new Set(some)].filter((key) => keyFault(key) === null && Buffer.byteLength(key) < 900);
    const folder = (n: number) => `names/${n}/`;
    for (const [n, key] of fitting.entries()) {
      const named = folder(n) + key;
      const body = Buffer.from(`I am ${n}`);
      const wish = { bucket: 'files', key: named, contentType: 'text/plain', contentLength: body.length };
      const [upload] = await ask('/upload-urls', [wish]);
      const { headers } = upload!.body as { headers?: Record<string, string> };
      expectNamed(upload!.body, named);
      const put = await fetch(upload!.body.url ?? '', { method: 'PUT', headers: headers ?? {}, body });
      expect([named, put.status]).toEqual([named, 200]);
    }
    for (const [n, key] of fitting.entries()) {
      const [download] = await ask('/download-urls', [{ bucket: 'files', key: folder(n) + key }]);
      const got = await fetch(download!.body.url ?? '');
      expect([key, await got.text()]).toEqual([key, `I am ${n}`]);
      cases++;
      read++;
    }
  });
});

function inBatches<T>(all: readonly T[], size = 500): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, n) => all.slice(n * size, (n + 1) * size));
}
