import { Injectable } from '@nestjs/common';
import { Config } from '@countersign/config';
import { Database } from '@countersign/database';
import { Ledger, recordChange } from '@countersign/ledger';
import { type Credential, UrlSigner } from '@countersign/signing';
import { Outgoing } from '@countersign/outgoing';
import { CredentialSeal } from '@countersign/signing-keys';
import { type Bucket, type SigningKey, Tenancy } from '@countersign/tenancy';
import { askerOf, type Caller } from '../../http/caller.js';
import { assertEndpointsAllowed } from '../../http/endpoint.js';
import { notFound } from '../../http/not-found.js';
import { NAME } from '../../http/paging.js';
import { type Pages, tryBrowsers } from './browsers.js';
import type { BucketCheckResponse, CheckedProperty } from './bucket-check.dto.js';
import { tryCopying } from './copying.js';
import { failed, type Outcome, skipped } from './outcome.js';
import { tryClock, tryCredentials, tryReaching } from './reaching.js';
import { removeTraces } from './removal.js';
import { KeyChanged, Trial } from './trial.js';
import { tryChecksums, tryOverwriting, tryPostPolicies, tryPublicAcl } from './uploading.js';

/** For all that is tried; what it made is removed after that. */
const LIMIT_MS = 25_000;

type Name = CheckedProperty['name'];

/** Tries a bucket for real, by its active signing key: what a store does is not written in its documentation. */
@Injectable()
export class CheckBucket {
  constructor(
    private readonly config: Config,
    private readonly database: Database,
    private readonly tenancy: Tenancy,
    private readonly ledger: Ledger,
    private readonly seal: CredentialSeal,
    private readonly signer: UrlSigner,
    private readonly outgoing: Outgoing,
  ) {}

  /** Whatever is wrong with the store is in the answer, and not a fault of the call. */
  async execute(caller: Caller, name: string): Promise<BucketCheckResponse> {
    if (!NAME.test(name)) throw notFound('bucket');
    const startedAt = performance.now();
    const [holding] = await this.tenancy.findAll([{ ...NOBODY, tenantId: caller.tenantId, bucket: name }]);
    if (!holding?.bucket) throw notFound('bucket');
    const { bucket, signingKey, now } = holding;
    // It may have been registered when the installation took others.
    assertEndpointsAllowed({ endpoint: bucket.endpoint }, this.config);

    const credential = this.#open(caller.tenantId, signingKey, now);
    const checks =
      'result' in credential
        ? new Map([['credentials' as const, credential]])
        : await this.#try(caller, bucket, credential, { now, startedAt });
    const answer = toResponse(name, now, checks);
    await this.#record(caller, answer, signingKey);
    return answer;
  }

  async #try(
    caller: Caller,
    bucket: Bucket,
    credential: Credential,
    time: { now: number; startedAt: number },
  ): Promise<Map<Name, Outcome>> {
    const signal = AbortSignal.timeout(LIMIT_MS);
    const { ledger, signer, outgoing } = this;
    const trial = new Trial({ asker: askerOf(caller), bucket, credential, ...time, ledger, signer, outgoing, signal });
    const trials: [Name, () => Promise<Outcome>, need?: Name][] = [
      ['reachable', () => tryReaching(trial)],
      ['credentials', () => tryCredentials(trial), 'reachable'],
      ['clock', () => tryClock(trial), 'reachable'],
      ['cors', () => tryBrowsers(trial, this.#pagesOf(bucket)), 'credentials'],
      ['overwrite-protection', () => tryOverwriting(trial), 'credentials'],
      ['copy-source', () => tryCopying(trial), 'credentials'],
      ['public-acl', () => tryPublicAcl(trial), 'credentials'],
      ['post-policies', () => tryPostPolicies(trial), 'credentials'],
      ['checksums', () => tryChecksums(trial), 'credentials'],
    ];
    const outcomes = new Map<Name, Outcome>();
    for (const [name, attempt, need] of trials) {
      const isPossible = need === undefined || outcomes.get(need)?.result === 'passed';
      outcomes.set(name, isPossible ? await inTime(trial, attempt) : skipped(`It cannot be tried without ${need}.`));
    }
    if (trial.touched.size > 0) outcomes.set('removal', await removeTraces(trial));
    return outcomes;
  }

  /** The embedded store offers no forms. */
  #pagesOf({ endpoint }: Bucket): Pages {
    const { corsOrigins, embeddedStore } = this.config;
    return { origins: corsOrigins, sendForms: embeddedStore?.endpoint !== endpoint };
  }

  /** The secret of the key that signs now, or why there is none. */
  #open(tenantId: string, signingKey: SigningKey | null, now: number): Credential | Outcome {
    if (!signingKey)
      return failed('The bucket has no active signing key.', 'Rotate it: POST /rotations makes a new one.');
    const { id, accessKeyId, sealedCredential, expiresAt } = signingKey;
    if (expiresAt !== null && expiresAt <= now) return failed('The credential has expired.', 'Rotate the signing key.');
    try {
      const row = { tenantId, signingKeyId: id };
      const secrets = this.seal.open(Buffer.from(sealedCredential, 'base64'), row);
      return { signingKeyId: id, accessKeyId, ...secrets };
    } catch {
      return failed(
        'The secret of the signing key cannot be decrypted.',
        'Ask the operator: ENCRYPTION_KEYS may lack the version that it was encrypted with.',
      );
    }
  }

  async #record(caller: Caller, answer: BucketCheckResponse, signingKey: SigningKey | null): Promise<void> {
    const { bucket, isSound, checks } = answer;
    const results = Object.fromEntries(checks.map(({ name, result }) => [name, result]));
    await this.database.asTenant(caller.tenantId, (transaction) =>
      recordChange(transaction, {
        ...askerOf(caller),
        action: 'bucket.checked',
        bucket,
        ...(signingKey ? { signingKeyId: signingKey.id } : {}),
        details: { isSound, results },
      }),
    );
  }
}

/** Only the bucket is asked about. */
const NOBODY = { subject: '', groups: [], useCase: '', paths: [], hasSegment: false, reads: false };

async function inTime(trial: Trial, attempt: () => Promise<Outcome>): Promise<Outcome> {
  if (trial.isOver) return skipped('There was no time left: the store is slow.', 'Check again.');
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof KeyChanged)) throw error;
    return skipped('The signing key was changed meanwhile.', 'Check again.');
  }
}

/** Every answer names all of them, in one order. */
function toResponse(bucket: string, now: number, outcomes: ReadonlyMap<Name, Outcome>): BucketCheckResponse {
  const checks = ALL.map((name) => ({ name, ...(outcomes.get(name) ?? skipped('There was nothing to try it by.')) }));
  const isSound = checks.every(({ result }) => result !== 'failed');
  return { bucket, checkedAt: new Date(now * 1000).toISOString(), isSound, checks };
}

const ALL: readonly Name[] = [
  'reachable',
  'credentials',
  'clock',
  'cors',
  'overwrite-protection',
  'copy-source',
  'public-acl',
  'post-policies',
  'checksums',
  'removal',
];
