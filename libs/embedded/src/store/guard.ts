import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AccessKeys } from './access-keys.js';
import { answerAdmin, isAdminTarget } from './admin-api.js';
import type { Cors } from './cors.js';
import type { Exchange } from './exchange.js';
import { listParts, listUploads } from './multipart/listings.js';
import { abortUpload, completeUpload, createUpload, uploadPart } from './multipart/multipart-upload.js';
import type { AccessKey } from './messages.js';
import type { ObjectStore } from './object-store.js';
import { chooseOperation, refuseUnknownAmzHeaders, type Operation } from './operation.js';
import { putObject } from './put-object.js';
import { prepareRead } from './read-object.js';
import { removeObject } from './remove-object.js';
import { parseTarget, type RequestTarget } from './request-target.js';
import { S3Error } from './s3-error.js';
import type { S3rverBackend } from './s3rver-backend.js';
import { single } from './signature/claimed-signature.js';
import { verifySignature } from './signature/verify-signature.js';

export interface GuardParts {
  store: ObjectStore;
  backend: S3rverBackend;
  cors: Cors;
  region: string;
  keys: AccessKeys;
  admin: AccessKey | undefined;
  /** Hears of every answer of 400 and above; never of a query, which may hold a signature. */
  log: (line: string) => void;
}

/**
 * Lets through what a live access key has signed, and nothing else. Every request is answered, be it ever so
 * broken; what the signature covers is enforced before s3rver, which does not enforce it, sees anything.
 */
export class Guard {
  constructor(private readonly parts: GuardParts) {}

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomBytes(8).toString('hex').toUpperCase();
    response.setHeader('x-amz-request-id', requestId);
    let outcome = '';
    response.once('close', () => {
      if (response.statusCode < 400) return;
      const path = (request.url ?? '').split('?')[0]?.slice(0, 300);
      this.parts.log(`${request.method} ${path} ${response.statusCode} ${outcome}`.trimEnd());
    });
    try {
      await this.#answer(request, response);
    } catch (error) {
      const refusal =
        error instanceof S3Error ? error : new S3Error('InternalError', 'We encountered an internal error.');
      outcome = refusal === error ? refusal.code : `InternalError: ${String(error)}`;
      sendError(response, refusal, requestId, /^\/admin[/?]/.test(request.url ?? ''));
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { cors, store, region, keys } = this.parts;
    const method = request.method ?? '';
    const target = parseTarget(request.url ?? '');
    if (isAdminTarget(target)) return this.#answerAdmin(request, response, target);
    cors.allowReading(request, response, target.bucket);
    if (method === 'OPTIONS') return cors.answerPreflight(request, response, target.bucket);

    const { payloadHash } = verifySignature(
      { method, target, headers: request.headers },
      { region, secretOf: (accessKeyId) => keys.secretOf(accessKeyId), now: Date.now() },
    );
    const headers = obeyedHeaders(request, target);
    const operation = chooseOperation(method, target);
    refuseUnknownAmzHeaders(headers);
    if (method !== 'PUT' && method !== 'POST') refuseBody(request);
    await this.#perform(operation, { method, request, response, target, headers, payloadHash, store });
  }

  /** The admin's credential is good for this and for nothing else; and nothing else is good for this. */
  async #answerAdmin(request: IncomingMessage, response: ServerResponse, target: RequestTarget): Promise<void> {
    const { region, keys, admin } = this.parts;
    const method = request.method ?? '';
    const secretOf = (id: string) => (id === admin?.accessKeyId ? admin.secretAccessKey : keys.secretOf(id));
    const { carrier, accessKeyId } = verifySignature(
      { method, target, headers: request.headers },
      { region, secretOf, now: Date.now() },
    );
    // Attack: a presigned URL of the admin's, which would be good for whoever holds it.
    if (accessKeyId !== admin?.accessKeyId || carrier === 'query') throw new S3Error('AccessDenied', 'Access Denied.');
    refuseBody(request);
    await answerAdmin(method, target, keys, response);
  }

  async #perform(operation: Operation, exchange: Exchange): Promise<void> {
    switch (operation) {
      case 'PutObject':
        return putObject(exchange);
      case 'CreateMultipartUpload':
        return createUpload(exchange);
      case 'UploadPart':
        return uploadPart(exchange);
      case 'ListParts':
        return listParts(exchange);
      case 'CompleteMultipartUpload':
        return completeUpload(exchange);
      case 'AbortMultipartUpload':
        return abortUpload(exchange);
      case 'GetObject': {
        const read = await prepareRead(exchange);
        if (read === 'answered') return;
        return this.parts.backend.answer(exchange, read.range ? { range: read.range } : {});
      }
      case 'ListMultipartUploads':
        return listUploads(exchange);
      case 'DeleteObject':
        return removeObject(exchange);
      case 'ListBuckets':
      case 'ListObjects':
        return this.parts.backend.answer(exchange);
      default:
        return operation satisfies never;
    }
  }
}

/** As S3 does: an x-amz-* parameter of a presigned URL counts as that header, and before it. Both are signed. */
function obeyedHeaders({ headers }: IncomingMessage, { query }: RequestTarget): Record<string, string> {
  const named = Object.entries(headers).map(([name, value]) => [name, single(value) ?? ''] as const);
  const hoisted = [...query].map(([name, value]) => [name.toLowerCase(), value] as const);
  return Object.fromEntries([...named, ...hoisted.filter(([name]) => name.startsWith('x-amz-'))]);
}

/** A body that nothing reads would also be one whose signed hash nothing verifies. */
function refuseBody({ headers }: IncomingMessage): void {
  if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') return;
  throw new S3Error('InvalidRequest', 'This request takes no body.');
}

function sendError(response: ServerResponse, error: S3Error, requestId: string, isAdmin: boolean): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const [type, body] = isAdmin
    ? (['application/json', error.toJson(requestId)] as const)
    : (['application/xml', error.toXml(requestId)] as const);
  response.writeHead(error.status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body);
}
