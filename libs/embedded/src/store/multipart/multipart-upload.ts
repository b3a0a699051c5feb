import { createHash } from 'node:crypto';
import { readPromises } from '../body-digests.js';
import { bodyLengthOf, metadataOf, objectOf, sendXml, wantsNew, type Exchange } from '../exchange.js';
import { document, S3Error } from '../s3-error.js';
import { UNSIGNED_PAYLOAD } from '../signature/claimed-signature.js';
import { parseCompletion, type ListedPart } from './completion.js';
import { concatenate, multipartEtag, PartsOnDisk, type StoredPart } from './parts-on-disk.js';

export async function createUpload(exchange: Exchange): Promise<void> {
  const { response, headers, store } = exchange;
  const { bucket, key } = await objectOf(exchange);
  const uploadId = await PartsOnDisk.create(store.uploadsDir, { bucket, key, metadata: metadataOf(headers) });
  sendXml(response, document('InitiateMultipartUploadResult', { Bucket: bucket, Key: key, UploadId: uploadId }));
}

export async function uploadPart(exchange: Exchange): Promise<void> {
  const { request, response, headers, payloadHash, store, target } = exchange;
  const partNumber = target.query.get('partNumber') ?? '';
  if (!/^[1-9]\d{0,4}$/.test(partNumber) || Number(partNumber) > 10_000) {
    throw new S3Error('InvalidArgument', 'Part number must be an integer between 1 and 10000.');
  }
  bodyLengthOf(exchange);
  await openUpload(exchange);
  const staged = await store.stage(request, readPromises(headers, payloadHash));
  await exclusively(exchange, async () => (await openUpload(exchange)).keep(Number(partNumber), staged));
  response.writeHead(200, { ETag: `"${staged.md5Hex}"`, 'Content-Length': 0 }).end();
}

export async function completeUpload(exchange: Exchange): Promise<void> {
  const listed = parseCompletion(await readBody(exchange));
  const isNew = wantsNew(exchange);
  const etag = await exclusively(exchange, async () => {
    const { store } = exchange;
    const upload = await openUpload(exchange);
    const parts = choose(listed, await upload.list());
    const name = { bucket: upload.record.bucket, key: upload.record.key };
    const whole = await store.stage(concatenate(parts), readPromises({}, UNSIGNED_PAYLOAD));
    await store.commit(whole, name, { metadata: upload.record.metadata, isNew, etag: multipartEtag(parts) });
    await upload.remove();
    return multipartEtag(parts);
  });
  const { bucket = '', key = '' } = exchange.target;
  const result = { Location: exchange.target.path, Bucket: bucket, Key: key, ETag: `"${etag}"` };
  sendXml(exchange.response, document('CompleteMultipartUploadResult', result));
}

export async function abortUpload(exchange: Exchange): Promise<void> {
  await exclusively(exchange, async () => (await openUpload(exchange)).remove());
  exchange.response.writeHead(204).end();
}

const MIN_PART_BYTES = 5 * 1024 ** 2;

/** s3rver opens whatever the list names, and dies of the first part that is not there. */
function choose(listed: ListedPart[], stored: StoredPart[]): StoredPart[] {
  const parts = listed.map(({ partNumber, etag }) => {
    const part = stored.find((each) => each.partNumber === partNumber && each.etag === etag);
    if (part) return part;
    throw new S3Error('InvalidPart', 'A listed part could not be found.', { PartNumber: String(partNumber) });
  });
  if (parts.slice(0, -1).some(({ size }) => size < MIN_PART_BYTES)) {
    throw new S3Error('EntityTooSmall', 'Every part but the last has at least 5 MiB.');
  }
  return parts;
}

const MAX_COMPLETION_BYTES = 4 * 1024 ** 2;

async function readBody(exchange: Exchange): Promise<string> {
  if (bodyLengthOf(exchange) > MAX_COMPLETION_BYTES) throw new S3Error('EntityTooLarge', 'The list is too long.');
  const chunks: Buffer[] = [];
  for await (const chunk of exchange.request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const hash = createHash('sha256').update(body).digest('hex');
  if (exchange.payloadHash !== UNSIGNED_PAYLOAD && exchange.payloadHash !== hash) {
    throw new S3Error('XAmzContentSHA256Mismatch', 'The body is not the one whose SHA-256 was signed.');
  }
  return body.toString('utf8');
}

export async function openUpload(exchange: Exchange): Promise<PartsOnDisk> {
  return PartsOnDisk.open(exchange.store.uploadsDir, uploadIdOf(exchange), await objectOf(exchange));
}

async function exclusively<T>(exchange: Exchange, task: () => Promise<T>): Promise<T> {
  return exchange.store.runExclusively(uploadIdOf(exchange), task);
}

export function uploadIdOf({ target }: Exchange): string {
  return target.query.get('uploadId') ?? '';
}
