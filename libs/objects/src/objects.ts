import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { NoAnswer, StoreHttpHandler } from './store-http-handler.js';

/** Where a bucket is at its store, as we reach it. */
export interface ObjectsAt {
  endpoint: string | null;
  region: string;
  bucket: string;
  forcePathStyle: boolean;
}

/** Who asks the store. */
export interface ObjectsCredential {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** What became of a request: null where it was obeyed, or the store's refusal in a word or two, such as `403 AccessDenied`. */
export type Refusal = string | null;

/**
 * What we ask of a store ourselves, by requests whose headers are signed: nobody else could ever use one. Each is one attempt, bounded in
 * time and size.
 */
export class Objects {
  readonly #client: S3Client;
  readonly #bucket: string;

  /** @param signal ends whatever is under way. */
  constructor({ endpoint, bucket, ...place }: ObjectsAt, credentials: ObjectsCredential, signal: AbortSignal) {
    this.#bucket = bucket;
    this.#client = new S3Client({
      ...place,
      ...(endpoint === null ? {} : { endpoint }),
      credentials,
      maxAttempts: 1,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: new StoreHttpHandler(signal),
    });
  }

  remove(Key: string): Promise<Refusal> {
    return refusalOf(this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key })));
  }

  /** The upload's id, or why there is none. */
  async startUpload(Key: string): Promise<{ uploadId: string } | { refusal: string }> {
    let uploadId = '';
    const refusal = await refusalOf(
      this.#client
        .send(new CreateMultipartUploadCommand({ Bucket: this.#bucket, Key }))
        .then((answer) => (uploadId = answer.UploadId ?? '')),
    );
    return refusal === null ? { uploadId } : { refusal };
  }

  abortUpload(Key: string, UploadId: string): Promise<Refusal> {
    return refusalOf(this.#client.send(new AbortMultipartUploadCommand({ Bucket: this.#bucket, Key, UploadId })));
  }
}

/** Only the store's status and code, and that only where it looks like one: the rest of an answer may be anything. */
async function refusalOf(request: Promise<unknown>): Promise<Refusal> {
  try {
    await request;
    return null;
  } catch (error) {
    if (error instanceof NoAnswer) return `no answer (${error.message})`;
    const { name, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    const code = /^[A-Za-z0-9._-]{1,64}$/.test(name) ? name : '';
    return `${$metadata?.httpStatusCode ?? 'unreadable'} ${code}`.trim();
  }
}
