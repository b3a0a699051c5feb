/** The statuses of https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html that this store gives. */
const STATUS = {
  AccessControlListNotSupported: 400,
  AccessDenied: 403,
  AccessForbidden: 403,
  AuthorizationHeaderMalformed: 400,
  AuthorizationQueryParametersError: 400,
  BadDigest: 400,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidDigest: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidToken: 400,
  InvalidURI: 400,
  KeyExists: 409,
  KeyTooLongError: 400,
  MalformedXML: 400,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  NoSuchUser: 404,
  NotImplemented: 501,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  SignatureDoesNotMatch: 403,
  XAmzContentChecksumMismatch: 400,
  XAmzContentSHA256Mismatch: 400,
} as const;

export type S3ErrorCode = keyof typeof STATUS;

/** A refusal in the words of S3. It is thrown, as the whole store is an edge: only the guard catches it, and answers. */
export class S3Error extends Error {
  readonly status: number;

  constructor(
    readonly code: S3ErrorCode,
    message: string,
    readonly detail: Record<string, string> = {},
  ) {
    super(message);
    this.status = STATUS[code];
  }

  toXml(requestId: string): string {
    return document('Error', { Code: this.code, Message: this.message, ...this.detail, RequestId: requestId });
  }

  /** As Ceph's Admin Ops API says it. */
  toJson(requestId: string): string {
    return JSON.stringify({ Code: this.code, Message: this.message, RequestId: requestId });
  }
}

/** A flat XML document: one element for each entry, in order. */
export function document(root: string, fields: Record<string, string | number | boolean>, more = ''): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}>${elements(fields)}${more}</${root}>`;
}

export function elements(fields: Record<string, string | number | boolean>): string {
  return Object.entries(fields)
    .map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`)
    .join('');
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Attack: a key with a control character makes the whole answer malformed, and the client drops it. */
function escapeXml(text: string): string {
  return text
    .replace(/[&<>"]/g, (character) => ENTITIES[character]!)
    .replace(/(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/gu, '\ufffd');
}
