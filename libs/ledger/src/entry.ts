import type { UploadRecord } from './upload-record.js';

/** Who asked, and from where: the same for every row. */
export interface Asker {
  tenantId: string;
  subject: string;
  clientAddress: string | null;
  userAgent: string | null;
  requestId: string;
}

/** What all terms have. What is signed is this, and what is on record is this. */
interface Signable {
  /** The address that is asked, without a query: an object's, or a form's bucket. */
  url: string;
  region: string;
  /** Whole seconds since the epoch: the signature's X-Amz-Date. */
  issuedAt: number;
  expiresInSeconds: number;
  signingKeyId: string;
}

/** What one URL allows: exactly this request; and of a pair, the same by HEAD. */
export interface UrlTerms extends Signable {
  kind: 'url';
  method: 'GET' | 'HEAD' | 'PUT';
  /** Signed headers that the client must send, lower-case names; without `host`. */
  headers: Readonly<Record<string, string>>;
  /** Signed parameters that are not the signature's own, such as `response-content-disposition`. */
  query: Readonly<Record<string, string>>;
  /** Where a HEAD of the same is allowed too, by a URL of its own: the parameters of that. */
  headQuery?: Readonly<Record<string, string>>;
}

/** What an upload form allows: one object with exactly these fields, of a size within the range. */
export interface FormTerms extends Signable {
  kind: 'form';
  /** All that comes before `file`, but for what the signature adds: no form may have another field, or another value. */
  fields: Readonly<Record<string, string>> & { readonly bucket: string; readonly key: string };
  /** In bytes; both ends are within it. */
  contentLengthRange: Readonly<{ min: number; max: number }>;
}

/** What the URLs of parts allow: one PUT for each part of one multipart upload. */
export interface PartsTerms extends Signable {
  kind: 'parts';
  /** The store's name for the multipart upload. */
  uploadId: string;
  parts: readonly Readonly<{ partNumber: number; headers: Readonly<Record<string, string>> }>[];
}

/** What the start of a multipart upload allows: nothing yet, for its parts have terms of their own. There is nothing to sign. */
export interface MultipartTerms extends Signable {
  kind: 'multipart';
}

/** What exactly is allowed. */
export type Terms = UrlTerms | FormTerms | PartsTerms | MultipartTerms;

/** The decision of one issuing call. */
export type IssuanceDecision<T extends Terms = Terms> = Asker & {
  /** A UUID: the issuance's, or the refusal's row. It is known before the terms are, since an upload pins it. */
  issuanceId: string;
  action: 'download-url' | 'upload-url' | 'upload-parts' | 'upload-completion';
  bucket: string;
  key: string;
  useCase: string;
  contentType: string | null;
  contentLength: number | null;
  /** What else was pinned. */
  details: Record<string, unknown> | null;
  /** Whether other rows may have the same terms, and so the same URLs: then the row names them, and each counts once. */
  isStable?: boolean;
  /** Of a rotation's own URLs: only they may be signed by a key of it that is not active. */
  rotationId?: string;
  /** Of a granted upload: its row. */
  upload?: UploadRecord | undefined;
} & ({ decision: 'granted'; terms: T } | { decision: 'refused'; reason: string });

/** An administrative change that was made, in the transaction that made it. */
export interface AdministrativeChange extends Asker {
  /** Such as `grant.created`. */
  action: string;
  bucket?: string;
  key?: string;
  useCase?: string;
  signingKeyId?: string;
  /** What was changed to what; never a secret. */
  details: Record<string, unknown>;
}
