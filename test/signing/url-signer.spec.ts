import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { FormTerms, PartsTerms, Terms, UrlTerms } from '@countersign/ledger';
import {
  type Credential,
  downloadTerms,
  formTerms,
  multipartTerms,
  objectAddress,
  partsTerms,
  UrlSigner,
} from '@countersign/signing';
import { Receipt } from '../../libs/ledger/src/receipt.js';
import type { SigningCase } from './cases.js';
import { issuanceOf, signDownload, signUpload } from './signed.js';

/** The key pair of Amazon's own examples. */
const CREDENTIAL: Credential = {
  signingKeyId: '6f1c1ab2-1a7c-4c5e-9d4c-3b7a2f0e9d11',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

const CASE: SigningCase = {
  location: { endpoint: null, region: 'eu-central-1', bucket: 'photos', forcePathStyle: false },
  key: 'users/alice/a b+ü.png',
  credential: CREDENTIAL,
  issuedAt: Date.UTC(2027, 0, 31, 12, 0, 0) / 1000,
  expiresInSeconds: 900,
  download: { method: 'GET', disposition: null, filename: null, contentType: null, versionId: null },
  upload: {
    contentType: 'image/png',
    contentLength: 5,
    checksumSha256: null,
    overwrite: false,
    acl: 'none',
    disposition: null,
    uploadId: null,
  },
  contentLengthRange: { min: 1, max: 5 },
  storeUploadId: '2~upload',
  parts: [{ partNumber: 1, contentLength: 5, checksumSha256: null }],
};

describe('whole URLs, as they were on the day this was written', () => {
  it('of a download with a filename from AWS', async () => {
    const download = { ...CASE.download, disposition: 'attachment' as const, filename: 'Größe (1).png' };
    expect(await signDownload({ ...CASE, download })).toBe(
      'https://photos.s3.eu-central-1.amazonaws.com/users/alice/a%20b%2B%C3%BC.png?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20270131%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date=20270131T120000Z&X-Amz-Expires=900&X-Amz-Signature=985e712e085f042c1c229ed54b7ea9098c2e287da1e83cc05cd455c66a1654dc&X-Amz-SignedHeaders=host&response-content-disposition=attachment%3B%20filename%3D%22Gr__e%20%281%29.png%22%3B%20filename%2A%3DUTF-8%27%27Gr%25C3%25B6%25C3%259Fe%2520%25281%2529.png&x-id=GetObject',
    );
  });

  it('of an upload to AWS', async () => {
    expect(await signUpload(CASE)).toBe(
      'https://photos.s3.eu-central-1.amazonaws.com/users/alice/a%20b%2B%C3%BC.png?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20270131%2Feu-central-1%2Fs3%2Faws4_request&X-Amz-Date=20270131T120000Z&X-Amz-Expires=900&X-Amz-Signature=4cc66e54bc3b3ea8e9e3c0b1e937e8fd758dceb8d97c641742dca90b877cfba4&X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3Bif-none-match&x-id=PutObject',
    );
  });

  it('of an upload with a checksum and a session token to another store', async () => {
    const location = { endpoint: 'http://127.0.0.1:9000', region: 'us-east-1', bucket: 'photos', forcePathStyle: true };
    const checksumSha256 = 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=';
    const upload = { ...CASE.upload, checksumSha256, acl: 'private' as const };
    const credential = { ...CREDENTIAL, sessionToken: 'a+session/token==' };
    expect(await signUpload({ ...CASE, location, upload, credential })).toBe(
      'http://127.0.0.1:9000/photos/users/alice/a%20b%2B%C3%BC.png?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20270131%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20270131T120000Z&X-Amz-Expires=900&X-Amz-Security-Token=a%2Bsession%2Ftoken%3D%3D&X-Amz-Signature=f7ced7b6be24aa1ff0f06ab4b3889b8b0cc69a00ac5a8519c41be511c369ccd2&X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3Bif-none-match%3Bx-amz-acl%3Bx-amz-checksum-sha256&x-id=PutObject',
    );
  });
});

describe('nothing is signed but a receipt of the ledger, with the signing key that it names', () => {
  const issuance = {
    url: objectAddress(CASE.location, CASE.key),
    region: CASE.location.region,
    issuedAt: CASE.issuedAt,
    expiresInSeconds: CASE.expiresInSeconds,
    signingKeyId: CREDENTIAL.signingKeyId,
  };
  const terms = downloadTerms(issuance, CASE.download);
  const form = () =>
    formTerms(issuance, { ...CASE.upload, bucket: 'photos', key: 'a', contentLengthRange: { min: 1, max: 5 } });
  const parts = () => partsTerms(issuance, { uploadId: CASE.storeUploadId, parts: CASE.parts });

  it('a look-alike is refused, whatever it is made of', async () => {
    // Attack: code that skips the ledger hands the signer an object with a receipt's fields.
    const fields = { issuanceId: randomUUID(), terms };
    const genuine = new Receipt(fields.issuanceId, terms);
    const lookAlikes = [
      fields,
      { ...genuine },
      Object.create(genuine),
      Object.assign(Object.create(Receipt.prototype), fields),
      new Proxy(genuine, {}),
      null,
    ];
    for (const each of lookAlikes) {
      for (const way of Object.values(SIGN))
        await expect(way(each as Receipt, CREDENTIAL)).rejects.toThrow('only a receipt of the ledger');
    }
  });

  it("another key's credential is refused", async () => {
    // Attack: a URL that is on record under one key and signed by another outlives the rotation that was to kill it.
    const another = { ...CREDENTIAL, signingKeyId: randomUUID() };
    for (const [way, its] of [[SIGN.url, terms] as const, [SIGN.form, form()] as const, [SIGN.parts, parts()] as const])
      await expect(way(new Receipt(randomUUID(), its), another)).rejects.toThrow(
        "not that of the receipt's signing key",
      );
  });

  it('a receipt for another kind of terms is refused, and nothing signs the start of a multipart upload', async () => {
    // Attack: none by a caller; but what is on record as the start of an upload must not become a URL.
    const all: Terms[] = [terms, form(), parts(), multipartTerms(issuance)];
    for (const [name, way] of Object.entries(SIGN)) {
      const kind = name === 'head' ? 'url' : name;
      for (const its of all) {
        const signing = way(new Receipt(randomUUID(), its), CREDENTIAL);
        if (its.kind === kind) await expect(signing).resolves.toBeDefined();
        else await expect(signing).rejects.toThrow(`not for terms of the kind "${kind}"`);
      }
    }
  });

  it('terms cannot be changed once they are on record', () => {
    // Attack: what was recorded is a read of one object, what is signed is another's.
    const receipt = new Receipt(randomUUID(), terms);
    expect(() => Object.assign(receipt.terms, { url: 'https://photos.example.com/other' })).toThrow(TypeError);
    expect(() => Object.assign(receipt.terms.query, { versionId: '1' })).toThrow(TypeError);
    expect(() => Object.assign(receipt.terms.headers, { 'x-amz-acl': 'public-read' })).toThrow(TypeError);
    expect(() => Object.assign(receipt, { terms: {} })).toThrow(TypeError);
  });

  it('nor can those of forms and parts', () => {
    // Attack: a form for one key is on record, and another's is signed.
    const { terms: ofForm } = new Receipt(randomUUID(), form());
    expect(() => Object.assign(ofForm, { fields: {} })).toThrow(TypeError);
    expect(() => Object.assign(ofForm.fields, { key: 'b' })).toThrow(TypeError);
    expect(() => Object.assign(ofForm.contentLengthRange, { max: 6 })).toThrow(TypeError);
    const { terms: ofParts } = new Receipt(randomUUID(), parts());
    expect(() => Object.assign(ofParts, { uploadId: 'other' })).toThrow(TypeError);
    expect(() => (ofParts.parts as unknown[]).push({})).toThrow(TypeError);
    expect(() => Object.assign(ofParts.parts[0] ?? {}, { partNumber: 2 })).toThrow(TypeError);
    expect(() => Object.assign(ofParts.parts[0]?.headers ?? {}, { 'content-length': '6' })).toThrow(TypeError);
  });
});

describe('a pair', () => {
  const download = {
    ...CASE.download,
    disposition: 'attachment' as const,
    filename: 'a.png',
    contentType: 'image/png',
  };
  const receiptFor = (withHead: boolean) =>
    new Receipt(randomUUID(), downloadTerms(issuanceOf(CASE), { ...download, withHead }));

  it('is the URLs that a GET and a HEAD have by themselves', async () => {
    const receipt = receiptFor(true);
    const both = [await new UrlSigner().sign(receipt, CREDENTIAL), await new UrlSigner().signHead(receipt, CREDENTIAL)];
    const alone = [
      signDownload({ ...CASE, download }),
      signDownload({ ...CASE, download: { ...download, method: 'HEAD' } }),
    ];
    expect(both).toEqual(await Promise.all(alone));
  });

  it('has no HEAD where the receipt is for a GET alone', () =>
    expect(new UrlSigner().signHead(receiptFor(false), CREDENTIAL)).toBeNull());

  it('cannot change between the ledger and the signature', () => {
    // Attack: what is on record is one version, and the HEAD is signed for another.
    const { headQuery } = receiptFor(true).terms;
    expect(() => Object.assign(headQuery ?? {}, { versionId: '1' })).toThrow(TypeError);
  });
});

/** The ways to sign, by the kind of terms that each is for: what is thrown rejects. */
const SIGN = {
  url: async (receipt: Receipt, credential: Credential) =>
    new UrlSigner().sign(receipt as Receipt<UrlTerms>, credential),
  head: async (receipt: Receipt, credential: Credential) =>
    new UrlSigner().signHead(receipt as Receipt<UrlTerms>, credential),
  form: async (receipt: Receipt, credential: Credential) =>
    new UrlSigner().signForm(receipt as Receipt<FormTerms>, credential),
  parts: (receipt: Receipt, credential: Credential) =>
    new UrlSigner().signParts(receipt as Receipt<PartsTerms>, credential),
};
