import { filenameFault, keyFault } from '@countersign/permissions';
import type { Credential, Location } from '@countersign/signing';
import fc from 'fast-check';

/** What a URL is signed for: everything that goes into it. */
export interface SigningCase {
  location: Location;
  key: string;
  credential: Credential;
  issuedAt: number;
  expiresInSeconds: number;
  download: {
    method: 'GET' | 'HEAD';
    disposition: 'attachment' | 'inline' | null;
    filename: string | null;
    contentType: string | null;
    versionId: string | null;
  };
  upload: {
    contentType: string;
    contentLength: number;
    checksumSha256: string | null;
    overwrite: boolean;
    acl: 'private' | 'none';
    disposition: 'attachment' | null;
    uploadId: string | null;
  };
  /** Of a form. */
  contentLengthRange: { min: number; max: number };
  /** The store's name for a multipart upload, and its parts. */
  storeUploadId: string;
  parts: { partNumber: number; contentLength: number; checksumSha256: string | null }[];
}

/** What encoders, URL parsers and canonicalisers are known to trip over. */
const NAUGHTY = [
  ' ',
  '+',
  '%',
  '%2F',
  '%2e%2e',
  '%00',
  '?',
  '#',
  '&a=b',
  "!'()*",
  '~',
  ':',
  '@',
  ';',
  ',',
  '$',
  '${filename}',
  '[]',
  '{}',
  '<>',
  '"',
  '`',
  '|',
  '^',
  '...',
  '.hidden',
  '__proto__',
  'constructor',
  'X-Amz-Expires=1',
  'é',
  'ß',
  'Ω',
  '日本',
  '😀',
  'שלום',
  '\u200b',
  '\u202e',
  '\u2028',
  '\ufeff',
  '\uffff',
];

const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(...NAUGHTY),
      fc.string({ unit: 'binary', maxLength: 3 }),
      fc.string({ unit: 'grapheme-ascii', maxLength: 12 }),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .map((pieces) => pieces.join('').normalize('NFC'));

export const filenames = text.filter((filename) => filenameFault(filename) === null);

export const keys = fc.oneof(
  fc
    .array(filenames, { minLength: 1, maxLength: 4 })
    .map((segments) => segments.join('/'))
    .filter((key) => keyFault(key) === null),
  fc.constantFrom('photos', 'photos/photos/a', 'a'.repeat(1024), 'é'.repeat(512)),
);

export const contentTypes = fc.constantFrom(
  'image/png',
  'text/plain; charset=utf-8',
  'text/plain;charset="a b"',
  'Application/JSON',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  'text/html',
  "application/x.!#$&'*+^_`|~",
  'multipart/mixed; boundary="=_a?b/c,d:e"',
);

export const checksums = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('base64'));

const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

const locations: fc.Arbitrary<Location> = fc.record({
  endpoint: fc.constantFrom(
    null,
    null,
    'https://storage.example.com',
    'https://storage.example.com:8443',
    'https://storage.example.com/base/path',
    'https://storage.example.com/base%20path',
    'https://s3.eu-central-1.amazonaws.com',
    'http://localhost:9000',
    'http://127.0.0.1:9000',
    'https://203.0.113.7/s3',
    'http://[::1]:9000',
    'https://[2001:db8::7]',
  ),
  region: fc.constantFrom(
    'us-east-1',
    'eu-central-1',
    'ap-southeast-7',
    'cn-north-1',
    'us-gov-west-1',
    'auto',
    'garage',
  ),
  bucket: fc.constantFrom('photos', 'my.photos', 'a-1', '0'.repeat(63), 'x.y'),
  forcePathStyle: fc.boolean(),
});

const credentials: fc.Arbitrary<Credential> = fc
  .tuple(
    fc.uuid(),
    fc.constantFrom('AKIAIOSFODNN7EXAMPLE', 'minio/admin+1=', 'key'),
    fc.string({ unit: 'grapheme-ascii', minLength: 8, maxLength: 60 }),
    orNull(fc.base64String({ minLength: 4, maxLength: 400 })),
  )
  .map(([signingKeyId, accessKeyId, secretAccessKey, sessionToken]) => ({
    signingKeyId,
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === null ? {} : { sessionToken }),
  }));

export const signingCases: fc.Arbitrary<SigningCase> = fc.record({
  location: locations,
  key: keys,
  credential: credentials,
  issuedAt: fc.integer({ min: 1_700_000_000, max: 4_000_000_000 }),
  expiresInSeconds: fc.oneof(fc.integer({ min: 1, max: 604_800 }), fc.constantFrom(1, 604_800)),
  download: fc.record({
    method: fc.constantFrom('GET', 'HEAD'),
    disposition: fc.constantFrom(null, 'attachment', 'inline'),
    filename: orNull(filenames),
    contentType: orNull(contentTypes),
    versionId: orNull(
      fc.constantFrom('null', '3/L4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY+MTRCxf3vjVBH40Nr8X8gdRQBpUMLUo', 'a=b&c'),
    ),
  }),
  upload: fc.record({
    contentType: contentTypes,
    contentLength: fc.oneof(fc.integer({ min: 0, max: 5 * 1024 ** 3 }), fc.constantFrom(0, 1)),
    checksumSha256: orNull(checksums),
    overwrite: fc.boolean(),
    acl: fc.constantFrom('private', 'none'),
    disposition: fc.constantFrom(null, 'attachment'),
    uploadId: orNull(fc.uuid()),
  }),
  contentLengthRange: fc
    .tuple(fc.nat({ max: 5 * 1024 ** 3 }), fc.nat({ max: 5 * 1024 ** 3 }))
    .map(([one, another]) => ({ min: Math.min(one, another), max: Math.max(one, another) })),
  storeUploadId: fc.constantFrom('2~Zb1Rj-3ehX9', 'VXBsb2FkIElE.a_b--', 'a+b/c=&d%2F'),
  parts: fc.array(
    fc.record({
      partNumber: fc.oneof(fc.integer({ min: 1, max: 10_000 }), fc.constantFrom(1, 10_000)),
      contentLength: fc.oneof(fc.integer({ min: 1, max: 5 * 1024 ** 3 }), fc.constant(1)),
      checksumSha256: orNull(checksums),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});
