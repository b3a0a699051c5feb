import { randomUUID } from 'node:crypto';
import { type Asker, type Ledger, newIssuanceId, type Receipt, type Terms, type UrlTerms } from '@countersign/ledger';
import { askStore, Objects, type StoreAnswer } from '@countersign/objects';
import type { Outgoing, OutgoingRequest } from '@countersign/outgoing';
import {
  bucketAddress,
  type Credential,
  downloadTerms,
  formTerms,
  objectAddress,
  partsTerms,
  uploadTerms,
  type UrlSigner,
} from '@countersign/signing';
import type { Bucket } from '@countersign/tenancy';

/** The checks' own corner of the bucket: nothing else is touched. */
const CORNER = '.countersign-check/';

const URL_SECONDS = 60;

/** No subject of a token: whatever begins with `system:` is ours. */
const SUBJECT = 'system:check';

export interface TrialParts {
  asker: Asker;
  bucket: Bucket;
  credential: Credential;
  /** The database's clock at `startedAt`: whole seconds since the epoch. */
  now: number;
  /** Of `performance.now()`. */
  startedAt: number;
  ledger: Ledger;
  signer: UrlSigner;
  outgoing: Outgoing;
  signal: AbortSignal;
}

/** What an upload URL pins beyond what all of them do. */
export interface Pins {
  checksumSha256?: string;
  /** As the bucket has it, unless said otherwise. */
  acl?: 'private' | 'none';
}

/** A URL and the headers that go with it. */
export interface Issued {
  url: string;
  headers: Record<string, string>;
}

/** The signing key stopped signing while it was tried. */
export class KeyChanged extends Error {}

/**
 * One trial of a bucket: objects under a folder of its own, by URLs that are issued as every other, each with its row in the ledger. They go
 * nowhere but to the store.
 */
export class Trial {
  readonly folder = `${CORNER}${randomUUID()}/`;
  /** Keys, with the bucket's prefix, under which there may be something now. */
  readonly touched = new Set<string>();

  constructor(private readonly parts: TrialParts) {}

  get bucket(): Bucket {
    return this.parts.bucket;
  }

  get credential(): Credential {
    return this.parts.credential;
  }

  /** By the database's clock. */
  get now(): Date {
    return new Date(this.parts.now * 1000 + (performance.now() - this.parts.startedAt));
  }

  get isOver(): boolean {
    return this.parts.signal.aborted;
  }

  /** What no URL of ours does. @param signal its own end, for what is done when the trial is over. */
  objects(signal: AbortSignal = this.parts.signal): Objects {
    return new Objects(this.parts.outgoing, this.bucket, this.credential, signal);
  }

  keyOf(name: string): string {
    return `${this.bucket.keyPrefix}${this.folder}${name}`;
  }

  /** Without a signature. */
  addressOf(name: string): string {
    return objectAddress(this.bucket, this.keyOf(name));
  }

  /** Where forms are sent. */
  get bucketAddress(): string {
    return bucketAddress(this.bucket);
  }

  /** A PUT of these bytes where nothing is yet, as every upload URL. */
  uploadUrl(name: string, body: string, { checksumSha256, acl }: Pins = {}): Promise<Issued> {
    this.touched.add(this.keyOf(name));
    const upload = {
      contentType: 'text/plain',
      contentLength: Buffer.byteLength(body),
      checksumSha256: checksumSha256 ?? null,
      overwrite: false,
      acl: acl ?? this.bucket.acl,
      disposition: null,
      uploadId: null,
    };
    return this.#issue(name, 'upload-url', uploadTerms(this.#issuance(name), upload));
  }

  /** A PUT of these bytes as the first part of an upload. */
  async partUrl(name: string, body: string, uploadId: string): Promise<Issued> {
    const part = { partNumber: 1, contentLength: Buffer.byteLength(body), checksumSha256: null };
    const terms = partsTerms(this.#issuance(name), { uploadId, parts: [part] });
    const receipt = await this.#record(name, 'upload-parts', terms);
    const [first] = await this.parts.signer.signParts(receipt, this.credential);
    return { url: first?.url ?? '', headers: {} };
  }

  downloadUrl(name: string): Promise<Issued> {
    const download = { method: 'GET' as const, disposition: null, filename: null, contentType: null, versionId: null };
    return this.#issue(name, 'download-url', downloadTerms(this.#issuance(name), download));
  }

  /** Sends a form that allows so many bytes. */
  async post(name: string, body: string, contentLengthRange: { min: number; max: number }): Promise<StoreAnswer> {
    const key = this.keyOf(name);
    this.touched.add(key);
    const url = this.bucketAddress;
    const { bucket, acl } = this.bucket;
    const pins = { contentType: 'text/plain', checksumSha256: null, acl, disposition: null, uploadId: null };
    const terms = formTerms({ ...this.#issuance(name), url }, { bucket, key, contentLengthRange, ...pins });
    const receipt = await this.#record(name, 'upload-url', terms);
    const form = new FormData();
    const fields = this.parts.signer.signForm(receipt, this.credential);
    for (const [field, value] of Object.entries(fields)) form.append(field, value);
    form.append('file', new Blob([body]));
    return this.ask(url, { method: 'POST', body: form });
  }

  /** Uploads as the URL says, or with headers more. */
  put({ url, headers }: Issued, body: string, more: Record<string, string> = {}): Promise<StoreAnswer> {
    return this.ask(url, { method: 'PUT', headers: { ...headers, ...more }, body: Buffer.from(body) });
  }

  async get(name: string, headers: Record<string, string> = {}): Promise<StoreAnswer> {
    return this.ask((await this.downloadUrl(name)).url, { method: 'GET', headers });
  }

  ask(url: string, request: OutgoingRequest): Promise<StoreAnswer> {
    return askStore(this.parts.outgoing, url, request, this.parts.signal);
  }

  #issuance(name: string) {
    const issuedAt = Math.floor(this.now.getTime() / 1000);
    const { bucket, credential } = this.parts;
    return {
      url: this.addressOf(name),
      region: bucket.region,
      issuedAt,
      expiresInSeconds: URL_SECONDS,
      signingKeyId: credential.signingKeyId,
    };
  }

  async #issue(name: string, action: 'upload-url' | 'download-url', terms: UrlTerms): Promise<Issued> {
    const receipt = await this.#record(name, action, terms);
    const { 'content-length': _, ...headers } = terms.headers;
    return { url: await this.parts.signer.sign(receipt, this.credential), headers };
  }

  async #record<T extends Terms>(name: string, action: Action, terms: T): Promise<Receipt<T>> {
    const decision = {
      ...this.parts.asker,
      issuanceId: newIssuanceId(),
      subject: SUBJECT,
      action,
      decision: 'granted' as const,
      bucket: this.bucket.name,
      key: `${this.folder}${name}`,
      useCase: 'check',
      ...contentOf(terms),
      details: null,
      terms,
    };
    const [receipt] = await this.parts.ledger.record<T>([decision]);
    if (!receipt) throw new KeyChanged('the signing key was changed');
    return receipt;
  }
}

type Action = 'upload-url' | 'download-url' | 'upload-parts';

/** What the ledger notes of it. */
function contentOf(terms: Terms): { contentType: string | null; contentLength: number | null } {
  if (terms.kind === 'form') return { contentType: terms.fields['Content-Type'] ?? null, contentLength: null };
  const { 'content-type': contentType = null, 'content-length': contentLength } =
    terms.kind === 'url' ? terms.headers : {};
  return { contentType, contentLength: contentLength === undefined ? null : Number(contentLength) };
}
