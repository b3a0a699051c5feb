import { Injectable } from '@nestjs/common';
import { Config } from '@countersign/config';
import { Database } from '@countersign/database';
import { ProblemError } from '@countersign/errors';
import { type FoundObject, isPerhapsAbsent, Objects, type Refused } from '@countersign/objects';
import { Outgoing } from '@countersign/outgoing';
import { CredentialSeal } from '@countersign/signing-keys';
import type { Upload } from '@countersign/uploads';
import { assertEndpointsAllowed } from '../http/endpoint.js';
import { noSigningKey } from '../issuance/refusals.js';

/** The store of one upload, by the key that signs at this moment. */
export interface UploadStore {
  objects: Objects;
  /** The upload's, with the bucket's prefix. */
  key: string;
  acl: 'private' | 'none';
}

type Place = Pick<Upload, 'tenantId' | 'bucketId' | 'key'>;

/** Where an upload's store is reached: the bucket as it is now, and its active signing key. */
@Injectable()
export class StoreAccess {
  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly seal: CredentialSeal,
    private readonly outgoing: Outgoing,
  ) {}

  /**
   * One request to the store and its answer, a refusal among them; where the signing key was changed meanwhile, the successor asks again.
   * @throws ProblemError `signing-key-unavailable`
   */
  async ask<Answer extends { kind: string }>(
    place: Place,
    signal: AbortSignal,
    request: (store: UploadStore) => Promise<Answer>,
  ): Promise<Answer> {
    const { signingKeyId, ...store } = await this.#open(place, signal);
    const answer = await request(store);
    if (!isRefusedToKey(answer)) return answer;
    const { signingKeyId: now, ...again } = await this.#open(place, signal);
    return now === signingKeyId ? answer : request(again);
  }

  /** What is under the upload's key, whoever put it there; null where there is nothing. @throws ProblemError `store-unavailable` */
  async look(upload: Place, signal: AbortSignal): Promise<FoundObject | null> {
    const found = await this.ask(upload, signal, ({ objects, key }) => objects.head(key));
    if (found.kind === 'absent' || (found.kind === 'refused' && isPerhapsAbsent(found))) return null;
    return obeyed(found);
  }

  /** @throws ProblemError where there is no key, or the bucket is at a place that this installation does not take any more. */
  async #open(
    { tenantId, bucketId, key }: Place,
    signal: AbortSignal,
  ): Promise<UploadStore & { signingKeyId: string }> {
    const [bucket, signingKey] = await this.database.asOperator(async (transaction) => [
      await transaction.bucket.findFirst({ where: { tenantId, id: bucketId } }),
      await transaction.signingKey.findFirst({ where: { tenantId, bucketId, state: 'active' } }),
    ]);
    if (!bucket || !signingKey || signingKey.accessKeyId === null) throw noSigningKey();
    this.#assertAllowed(bucket);
    const credential = { accessKeyId: signingKey.accessKeyId, ...this.#secretsOf(tenantId, signingKey) };
    return {
      objects: new Objects(this.outgoing, bucket, credential, signal),
      key: bucket.keyPrefix + key,
      acl: bucket.acl,
      signingKeyId: signingKey.id,
    };
  }

  /** It may have been registered when the installation took others. */
  #assertAllowed({ endpoint }: { endpoint: string | null }): void {
    try {
      assertEndpointsAllowed({ endpoint }, this.config);
    } catch (error) {
      throw storeUnavailable(error);
    }
  }

  #secretsOf(tenantId: string, { id, sealedCredential }: { id: string; sealedCredential: Uint8Array | null }) {
    try {
      return this.seal.open(Buffer.from(sealedCredential ?? []), { tenantId, signingKeyId: id });
    } catch (cause) {
      throw noSigningKey(cause);
    }
  }
}

/** The answer, where the store did not refuse. @throws ProblemError `store-unavailable`: its words are for the log alone. */
export function obeyed<Answer extends { kind: string }>(answer: Answer): Exclude<Answer, Refused> {
  if (isRefused(answer)) throw storeUnavailable(new Error(answer.why));
  return answer as Exclude<Answer, Refused>;
}

export const storeUnavailable = (cause: unknown): ProblemError =>
  new ProblemError('store-unavailable', 'The store did not do what it was asked for. Try again shortly.', {
    retryAfterSeconds: 5,
    cause,
  });

const isRefused = (answer: { kind: string }): answer is Refused => answer.kind === 'refused';

/** What a store says to a key that it does not take, or not any more. */
const isRefusedToKey = (answer: { kind: string }): boolean =>
  isRefused(answer) && [400, 401, 403].includes(answer.status ?? 0);
