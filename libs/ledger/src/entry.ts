/** Who asked, and from where: the same for every row. */
export interface Asker {
  tenantId: string;
  subject: string;
  clientAddress: string | null;
  userAgent: string | null;
  requestId: string;
}

/** What exactly is allowed: the request that the URL will be able to make. What is signed is this, and what is on record is this. */
export interface Terms {
  method: 'GET' | 'HEAD' | 'PUT';
  /** The object's address, without a query. */
  url: string;
  region: string;
  /** Signed headers that the client must send, lower-case names; without `host`. */
  headers: Readonly<Record<string, string>>;
  /** Signed parameters that are not the signature's own, such as `response-content-disposition`. */
  query: Readonly<Record<string, string>>;
  /** Whole seconds since the epoch: the URL's X-Amz-Date. */
  issuedAt: number;
  expiresInSeconds: number;
  signingKeyId: string;
}

/** The decision of one issuing call. */
export type IssuanceDecision = Asker & {
  action: 'download-url' | 'upload-url';
  bucket: string;
  key: string;
  useCase: string;
  contentType: string | null;
  contentLength: number | null;
  /** What else was pinned. */
  details: Record<string, unknown> | null;
  /** Of a rotation's own URLs: only they may be signed by a key of it that is not active. */
  rotationId?: string;
} & ({ decision: 'granted'; terms: Terms } | { decision: 'refused'; reason: string });

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
