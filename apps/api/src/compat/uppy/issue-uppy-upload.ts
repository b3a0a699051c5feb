import { Injectable } from '@nestjs/common';
import { ProblemError } from '@countersign/errors';
import { MAX_PUT_BYTES } from '@countersign/policy';
import { Tenancy } from '@countersign/tenancy';
import type { Caller } from '../../http/caller.js';
import { invalid } from '../../http/request-validation.pipe.js';
import type { Once } from '../../idempotency/once.js';
import { IssueUrl } from '../../issuance/issue-url.js';
import { findHoldings } from '../../issuance/question.js';
import { tenantSuspended } from '../../issuance/refusals.js';
import { toIssuedUpload } from '../../upload-url/issued-upload.js';
import { type IssuedUploadUrl, UploadUrlRequest } from '../../upload-url/upload-url.dto.js';
import { type OwnParts, uploadWish } from '../../upload-url/upload-wish.js';
import { OnlyBucket } from './only-bucket.js';
import type { UppyFile } from './uppy-file.js';
import { uppyKey } from './uppy-key.js';
import { uppyPartSize } from './uppy-parts.js';
import { inUppysWords, sizeNeeded } from './uppys-words.js';
import type { UppyParameters, UppyUpload } from './uppy.dto.js';

/** Where a file goes, and under which policy. */
type Place = Required<Pick<UploadUrlRequest, 'bucket' | 'key' | 'useCase'>>;

/** What Uppy asks to begin an upload, as a wish like any other: issue-url.ts tells the story. */
@Injectable()
export class IssueUppyUpload {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly onlyBucket: OnlyBucket,
    private readonly issueUrl: IssueUrl,
  ) {}

  /** What uploads the whole file: one PUT of its size, where the client can send one and says the size; else a form. */
  async whole(caller: Caller, file: UppyFile, { takesPut }: { takesPut: boolean }): Promise<UppyParameters> {
    const { size } = file.metadata;
    const place = await this.#placeOf(caller, file);
    const issued =
      takesPut && size !== undefined
        ? await this.#issue(caller, file, { ...place, mode: 'put', contentLength: size })
        : await this.#issue(caller, file, {
            ...place,
            mode: 'post',
            contentLengthRange: size === undefined ? await this.#rangeOf(caller, place) : { min: size, max: size },
          });
    if (issued.mode === 'multipart') throw new Error('nobody asked for parts');
    const { method, url, headers, uploadId, bucket, key, expiresAt } = issued;
    const fields = issued.mode === 'post' ? issued.fields : { key };
    return { method, url, headers, fields, uploadId, bucket, key, expiresAt };
  }

  /** Begins an upload in parts, and those are the ones that Uppy makes. */
  async inParts(caller: Caller, file: UppyFile, once: Once | null): Promise<UppyUpload> {
    const { size, partSize: chunkSize } = file.metadata;
    if (size === undefined) throw sizeNeeded();
    const partSize = uppyPartSize(size, chunkSize);
    if (typeof partSize !== 'number') throw invalid([partSize]);
    const place = await this.#placeOf(caller, file, once);
    const wanted = { ...place, mode: 'multipart', contentLength: size } as const;
    const { uploadId, bucket, key } = await this.#issue(caller, file, wanted, { ownParts: { partSize }, once });
    return { uploadId, key, bucket };
  }

  async #placeOf(caller: Caller, file: UppyFile, once: Once | null = null): Promise<Place> {
    const { bucket, useCase = 'upload' } = file.metadata;
    const key = uppyKey(caller, file, once);
    if (key instanceof ProblemError) throw inUppysWords(key, file);
    if (bucket !== undefined) return { bucket, key, useCase };
    // With no bucket there is nothing that could be put on record.
    if (caller.isSuspended) throw tenantSuspended();
    return { bucket: await this.onlyBucket.find(caller, key, useCase), key, useCase };
  }

  /** Of a file whose size nobody says: all that the use case allows. */
  async #rangeOf(caller: Caller, { bucket, key, useCase }: Place): Promise<{ min: number; max: number }> {
    const [holding] = await findHoldings(this.tenancy, caller, [{ action: 'write', bucket, key, useCase }]);
    const { minContentLength: min = null, maxContentLength: max = null } = holding?.useCase ?? {};
    return { min: Math.min(min ?? 0, MAX_PUT_BYTES), max: Math.min(max ?? MAX_PUT_BYTES, MAX_PUT_BYTES) };
  }

  async #issue(
    caller: Caller,
    file: UppyFile,
    wanted: Omit<UploadUrlRequest, 'contentType'>,
    { ownParts, once = null }: { ownParts?: OwnParts; once?: Once | null } = {},
  ): Promise<IssuedUploadUrl> {
    const { type: contentType, metadata } = file;
    const { expiresInSeconds } = metadata;
    const more = { contentType, ...(expiresInSeconds !== undefined && { expiresInSeconds }) };
    const wish = uploadWish(Object.assign(new UploadUrlRequest(), wanted, more), ownParts);
    if (wish instanceof ProblemError) throw inUppysWords(wish, file);
    try {
      return toIssuedUpload(wish, await this.issueUrl.execute(caller, wish, once));
    } catch (error) {
      throw error instanceof ProblemError ? inUppysWords(error, file) : error;
    }
  }
}
