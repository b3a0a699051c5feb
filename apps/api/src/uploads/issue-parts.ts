import { Injectable } from '@nestjs/common';
import { ProblemError } from '@countersign/errors';
import { isReceiptFor, type Kept, KeptIssuances, Ledger, type PartsTerms, type Receipt } from '@countersign/ledger';
import { RateLimits } from '@countersign/rate-limits';
import { type Credential, ObjectAddresses, partsTerms, UrlSigner } from '@countersign/signing';
import { CredentialSeal } from '@countersign/signing-keys';
import type { Bucket, Holding } from '@countersign/tenancy';
import { partLength } from '@countersign/uploads';
import type { Caller } from '../http/caller.js';
import { isAws } from '../http/endpoint.js';
import type { Once } from '../idempotency/once.js';
import { noSigningKey } from '../issuance/refusals.js';
import { ATTEMPTS, replayFault } from '../issuance/replay.js';
import { openCredential, publicLocation } from '../issuance/signing.js';
import { FindUpload } from './find-upload.js';
import { asMultipart, type MultipartUpload } from './multipart-upload.js';
import { assertWellPaired } from './part-urls-request.js';
import { decisionOn, UploadPermission, type Wanted } from './permission.js';
import { wrongState } from './refusals.js';
import type { IssuedPart, IssuedParts, PartUrlsRequest } from './uploads.dto.js';

/** Of a part's URL: it can be had anew while the upload lives. */
const MAX_SECONDS = 3_600;

/** The story of issue-url.ts for the parts of an upload: ask again whether the owner may, record, sign. One row for all parts of a call. */
@Injectable()
export class IssueParts {
  constructor(
    private readonly rateLimits: RateLimits,
    private readonly uploads: FindUpload,
    private readonly permission: UploadPermission,
    private readonly ledger: Ledger,
    private readonly kept: KeptIssuances,
    private readonly seal: CredentialSeal,
    private readonly addresses: ObjectAddresses,
    private readonly signer: UrlSigner,
  ) {}

  async execute(caller: Caller, id: string, request: PartUrlsRequest, once: Once | null = null): Promise<IssuedParts> {
    assertWellPaired(request);
    // The guard has counted one.
    this.rateLimits.take(caller, request.partNumbers.length - 1);
    const upload = asMultipart(await this.uploads.execute(caller, id));
    // Once more where a rotation came between the read and the append: then the successor signs.
    for (let attempt = 0; attempt < (once ? ATTEMPTS : 2); attempt++) {
      const parts = await this.#attempt(caller, upload, request, once);
      if (parts) return { parts };
    }
    throw noSigningKey();
  }

  async #attempt(
    caller: Caller,
    upload: MultipartUpload,
    request: PartUrlsRequest,
    once: Once | null,
  ): Promise<IssuedPart[] | null> {
    const { tenantId, subject } = caller;
    const asked = once && { ...once, tenantId, subject };
    const kept = asked && (await this.kept.find(asked)).get(0);
    const { partNumbers, checksums } = request;
    const wanted: Wanted = { action: 'upload-parts', details: { partNumbers, ...(checksums && { checksums }) } };
    const holding = await this.permission.assertGranted(caller, upload, wanted);
    if (kept) return this.#again(caller, upload, wanted, holding, kept);
    const tooHigh = beyond(upload, partNumbers);
    if (tooHigh) return this.permission.refuse(caller, upload, wanted, tooHigh);
    if (checksums && isAws(holding.bucket.endpoint ?? undefined))
      return this.permission.refuse(caller, upload, wanted, checksumsNotAvailable());

    const credential = this.#credentialOf(caller, holding);
    const expiresInSeconds = lifeOf(upload, holding);
    if (expiresInSeconds < 1) throw noSigningKey();
    const terms = partsTerms(
      {
        url: this.addresses.of(publicLocation(holding.bucket), holding.bucket.keyPrefix + upload.key),
        region: holding.bucket.region,
        issuedAt: holding.now,
        expiresInSeconds,
        signingKeyId: credential.signingKeyId,
      },
      {
        uploadId: upload.storeUploadId,
        parts: partNumbers.map((partNumber, n) => ({
          partNumber,
          contentLength: partLength(upload.contentLength, upload, partNumber),
          checksumSha256: checksums?.[n] ?? null,
        })),
      },
    );
    const decision = { ...decisionOn(caller, upload, wanted), decision: 'granted' as const, terms };
    const [receipt] =
      (await (asked
        ? this.kept.record(asked, [{ item: 0, decision, expiryLimitedBy: null }])
        : this.ledger.record([decision]))) ?? [];
    return receipt ? this.#sign(receipt, credential) : null;
  }

  /** The same URLs as before, for who still may. */
  async #again(
    caller: Caller,
    upload: MultipartUpload,
    wanted: Wanted,
    holding: Holding & { bucket: Bucket },
    { receipt }: Kept,
  ): Promise<IssuedPart[]> {
    const fault = replayFault(receipt.terms, holding);
    if (fault) return this.permission.refuse(caller, upload, wanted, fault);
    if (!isReceiptFor(receipt, 'parts')) throw new Error('what is kept is no parts');
    return this.#sign(receipt, this.#credentialOf(caller, holding));
  }

  async #sign(receipt: Receipt<PartsTerms>, credential: Credential): Promise<IssuedPart[]> {
    const { parts, issuedAt, expiresInSeconds } = receipt.terms;
    const expiresAt = new Date((issuedAt + expiresInSeconds) * 1000).toISOString();
    const urls = await this.signer.signParts(receipt, credential);
    return urls.map(({ partNumber, url }, n) => {
      const { 'content-length': _, ...headers } = parts[n]?.headers ?? {};
      return { partNumber, url, headers, expiresAt };
    });
  }

  #credentialOf({ tenantId }: Caller, { signingKey }: Holding): Credential {
    const credential = signingKey ? openCredential(this.seal, tenantId, signingKey) : noSigningKey();
    if (credential instanceof ProblemError) throw credential;
    return credential;
  }
}

/** Until the upload's end, but an hour at most, and no longer than the credential lives. By the database's clock. */
function lifeOf(upload: MultipartUpload, { now, signingKey }: Holding & { bucket: Bucket }): number {
  const left = Math.floor(upload.expiresAt.getTime() / 1000) - now;
  if (left < 1) throw wrongState(upload, 'its time is over');
  return Math.min(MAX_SECONDS, left, (signingKey?.expiresAt ?? Infinity) - now);
}

function beyond({ partCount }: MultipartUpload, partNumbers: readonly number[]): ProblemError | null {
  const code = 'part-number-out-of-range';
  const message = `must be at most ${partCount}`;
  const errors = partNumbers.flatMap((partNumber, n) =>
    partNumber > partCount ? [{ code, pointer: `/partNumbers/${n}`, message, limits: { partCount } } as const] : [],
  );
  return errors.length === 0 ? null : new ProblemError(code, `The upload has ${partCount} parts.`, { errors });
}

/**
 * AWS takes a part's checksum only where the upload was begun with the algorithm, and then no part without one ("Checksum Type mismatch
 * occurred", apache/arrow-rs#6793): a URL that it is sure to refuse is none to hand out.
 */
function checksumsNotAvailable(): ProblemError {
  const code = 'checksums-not-available';
  const message = "must be left out at AWS, which takes no checksum of a part by a URL; promise the whole object's";
  return new ProblemError(code, `checksums ${message}.`, { errors: [{ code, pointer: '/checksums', message }] });
}
