import type { Api, CompletedUpload, IssuedPart, IssuedUpload, StoredPart, Upload, UploadUrlRequest } from '../api.js';
import { CountersignError } from '../countersign-error.js';
import { present } from '../present.js';
import { retry, type RetryPolicy } from './retry.js';

export type NamedPart = Pick<StoredPart, 'partNumber' | 'etag'>;

/** The calls of the service that an upload takes, each made again while that can help. */
export class UploadCalls {
  constructor(
    private readonly api: Api,
    private readonly policy: RetryPolicy,
  ) {}

  start(body: UploadUrlRequest): Promise<IssuedUpload> {
    return this.#callOnce(async (header, signal) =>
      present(await this.api.POST('/upload-url', { params: { header }, body, signal })),
    );
  }

  find(id: string): Promise<Upload> {
    return this.#call(async (signal) => present(await this.api.GET('/uploads/{id}', { ...path(id), signal })));
  }

  async issueParts(id: string, partNumbers: number[], checksums?: string[]): Promise<IssuedPart[]> {
    const body = { partNumbers, ...(checksums ? { checksums } : {}) };
    const answer = await this.#callOnce(async (header, signal) =>
      present(await this.api.POST('/uploads/{id}/parts', { params: { path: { id }, header }, body, signal })),
    );
    return answer.parts;
  }

  async listParts(id: string): Promise<StoredPart[]> {
    const answer = await this.#call(async (signal) =>
      present(await this.api.GET('/uploads/{id}/parts', { ...path(id), signal })),
    );
    return answer.parts;
  }

  complete(id: string, parts?: NamedPart[]): Promise<CompletedUpload> {
    const body = parts ? { body: { parts } } : {};
    return this.#call(async (signal) =>
      present(await this.api.POST('/uploads/{id}/completion', { ...path(id), ...body, signal })),
    );
  }

  /** Also where the signal has stopped everything else. */
  async abort(id: string): Promise<void> {
    const policy = { ...this.policy, signal: undefined };
    await retry(policy, async () => this.api.DELETE('/uploads/{id}', path(id)));
  }

  /** All tries have one key: what an answer that was lost has given is given again, and not issued twice. */
  #callOnce<Answer>(call: (header: Once, signal: AbortSignal | null) => Promise<Answer>): Promise<Answer> {
    let once = newOnce();
    return this.#call(async (signal) => {
      try {
        return await call(once, signal);
      } catch (error) {
        const isGone = error instanceof CountersignError && error.code === 'idempotency-replay-gone';
        if (!isGone) throw error;
        once = newOnce();
        return call(once, signal);
      }
    });
  }

  #call<Answer>(call: (signal: AbortSignal | null) => Promise<Answer>): Promise<Answer> {
    return retry(this.policy, () => call(this.policy.signal ?? null));
  }
}

interface Once {
  'Idempotency-Key': string;
}

/** Not by `randomUUID`, which a page has only by HTTPS or on localhost. */
function newOnce(): Once {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return { 'Idempotency-Key': Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('') };
}

const path = (id: string) => ({ params: { path: { id } } });
