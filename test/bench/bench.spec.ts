import { spawnSync } from 'node:child_process';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, it } from '@jest/globals';

/** The benchmark is plain JavaScript: it has no types. */
const load = async <Module>(file: string): Promise<Module> =>
  (await import(new URL(file, import.meta.url).href)) as Module;

describe('the statistics are what their names say', () => {
  interface Statistics {
    median: (values: number[]) => number;
    quantile: (values: number[], share: number) => number;
    slope: (points: { x: number; y: number }[]) => number;
  }

  it('the median is the middle value, or between the two', async () => {
    const { median } = await load<Statistics>('./statistics.mjs');
    expect(median([9, 1, 10])).toBe(9);
    expect(median([4, 1, 100, 2])).toBe(3);
  });

  it('a quantile is a value that was measured, and its share of all do not pass it', async () => {
    const { quantile } = await load<Statistics>('./statistics.mjs');
    const values = Array.from({ length: 100 }, (_, n) => 100 - n);
    expect([0, 0.5, 0.99, 1].map((share) => quantile(values, share))).toEqual([1, 50, 99, 100]);
    expect(quantile([7], 0.99)).toBe(7);
  });

  it('the slope is that of the line through the points', async () => {
    const { slope } = await load<Statistics>('./statistics.mjs');
    expect(slope([1, 2, 3, 10].map((x) => ({ x, y: 5 - 2 * x })))).toBeCloseTo(-2);
    const level = [3, 4, 3, 4, 3].map((y, x) => ({ x, y }));
    expect(slope(level)).toBeCloseTo(0);
  });
});

describe('the peers sign byte for byte as getSignedUrl does, so that they save nothing by signing less', () => {
  const store = {
    endpoint: 'https://s3.eu-central-1.example.com',
    region: 'eu-central-1',
    bucket: 'acme-files',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  };
  const { bucket: Bucket, endpoint, region, ...credentials } = store;
  const client = new S3Client({
    endpoint,
    region,
    credentials,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
  const signingDate = new Date('2027-01-31T23:59:59Z');
  const options = {
    expiresIn: 900,
    signingDate,
    signableHeaders: new Set(['content-type']),
    unhoistableHeaders: new Set(['x-amz-acl']),
  };
  const content = { contentType: 'image/png', contentLength: 48_213 };

  interface Peer {
    Signer: new (at: typeof store) => {
      download(key: string, expiresInSeconds: number, now: number): string;
      upload(key: string, expiresInSeconds: number, content: object, now: number): string;
    };
  }

  it.each(['users/1/photos/img-0001.png', "sp ace/ü(1)+!'*.png"])('for %j', async (Key) => {
    const { Signer } = await load<Peer>('./peers/sigv4.mjs');
    const signer = new Signer(store);
    expect(signer.download(Key, 900, signingDate.getTime())).toBe(
      await getSignedUrl(client, new GetObjectCommand({ Bucket, Key }), options),
    );
    const put = new PutObjectCommand({
      Bucket,
      Key,
      ContentType: content.contentType,
      ContentLength: content.contentLength,
      IfNoneMatch: '*',
      ACL: 'private',
    });
    expect(signer.upload(Key, 900, content, signingDate.getTime())).toBe(await getSignedUrl(client, put, options));
  });
});

it.each(['bench', 'scale', 'soak'])('%s --help tells the options, and starts nothing', (name) => {
  const { status, stdout } = spawnSync(process.execPath, [`test/bench/${name}.mjs`, '--help'], { encoding: 'utf8' });
  expect(status).toBe(0);
  expect(stdout).toMatch(/^Usage: npm run bench/);
  expect(stdout).toContain('--help');
});
