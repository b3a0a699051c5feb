import { ApiProperty } from '@nestjs/swagger';
import type { RotationMode, RotationStep } from '@countersign/signing-keys';
import { Type } from 'class-transformer';
import { IsIn, IsObject, ValidateNested } from 'class-validator';
import { BucketCredentials } from '../buckets/buckets.dto.js';
import { Example, Integer, Timestamp, Uuid } from '../http/fields.js';
import { PageQuery } from '../http/page-query.dto.js';
import { IsLookedUpName, IsPlainText, IsQueryBoolean, Optional } from '../http/validators.js';

export class DryRunQuery {
  /** Only says what would die: nothing is changed. */
  @Optional() @IsQueryBoolean() dryRun?: boolean = false;
}

export class RotationsQuery extends PageQuery {
  /** The bucket's registered name. */
  @Optional() @IsLookedUpName() bucket?: string;
}

@Example<RotationRequest>({
  bucket: 'files',
  mode: 'graceful',
  reason: 'Quarterly change of keys',
  credential: { accessKeyId: 'NEXTACCESSKEYID', secretAccessKey: 'its-secret' },
})
export class RotationRequest {
  /** The bucket's registered name. */
  @IsLookedUpName() bucket!: string;

  /** `graceful` leaves URLs that are out alive until they expire. `immediate` cuts them off now, and issuing pauses until the new key signs. */
  @IsIn(['graceful', 'immediate']) mode!: 'graceful' | 'immediate';

  /** In your words, for the ledger. Of a dry run it may be left out. */
  @Optional() @IsPlainText() reason!: string;

  /** The new key, made by you: exactly where the bucket's key issuer is `manual`. Of a dry run it may be left out. */
  @Optional() @IsObject() @ValidateNested() @Type(() => BucketCredentials) credential?: BucketCredentials;
}

@Example<RevocationRequest>({ reason: 'The key was found in a public repository' })
export class RevocationRequest {
  /** In your words, for the ledger. Of a dry run it may be left out. */
  @Optional() @IsPlainText() reason!: string;
}

@Example<RetryRequest>({})
export class RetryRequest {
  /** Another new key in place of the one that was not accepted, where the key issuer is `manual`. */
  @Optional() @IsObject() @ValidateNested() @Type(() => BucketCredentials) credential?: BucketCredentials;
}

@Example<EscalationRequest>({ reason: 'One of its URLs was leaked' })
export class EscalationRequest {
  /** In your words, for the ledger. */
  @IsPlainText() reason!: string;
}

/** What is out under a signing key. A rotation's own URLs do not count. */
export class Exposure {
  /** URLs that were issued and have not expired. */
  @Integer() liveUrls!: number;

  /** How many users have one. */
  @Integer() subjects!: number;

  /** When the last of them expires; null where there is none. */
  @Timestamp() latestExpiresAt!: string | null;
}

@Example<DryRunResponse>({
  bucket: 'files',
  mode: 'immediate',
  exposure: { liveUrls: 128, subjects: 17, latestExpiresAt: '2027-01-31T13:00:00.000Z' },
})
export class DryRunResponse {
  bucket!: string;
  mode!: RotationMode;

  /** What would die, or in a graceful rotation be waited for. */
  exposure!: Exposure;
}

export class RotationStepResponse {
  name!: RotationStep;
  @Timestamp() startedAt!: string;
  @Timestamp() finishedAt!: string | null;

  /** What was seen. */
  detail!: string | null;
}

export class RotationExposure {
  /** When the key stopped signing: exact, since issuing waits meanwhile. Until then, when the rotation was asked for. */
  before!: Exposure;

  /** At this moment; nothing once the key is seen to be dead. */
  now!: Exposure;
}

export class RotationWaitingFor {
  /** `urls`: until the last URL has expired. `key-removal`: until the access key is removed at the store, by hand. */
  what!: 'urls' | 'key-removal';

  @Timestamp() until?: string;
  accessKeyId?: string;
}

export class RotationControl {
  /** `signing-key`: a URL of another key worked meanwhile. `invalid-access-key-id`: the store said so itself, again and again. */
  what!: 'signing-key' | 'invalid-access-key-id';

  @Uuid() signingKeyId?: string;
  accessKeyId?: string;
}

/** The change from one signing key to the next, or the revocation of one. */
@Example<RotationResponse>({
  id: '5b0f0a52-6c1e-4f5e-9a55-0d6c0f1f3c11',
  bucket: 'files',
  mode: 'graceful',
  state: 'waiting',
  reason: 'Quarterly change of keys',
  requestedBy: 'admin',
  signingKeyId: 'a3c1de0e-7d5b-4f6a-8a70-7d5ce8d3b0c2',
  newSigningKeyId: '0f8e2c1a-6f0b-4b58-9a43-2d1c7be5f001',
  steps: [
    {
      name: 'probe-key',
      startedAt: '2027-01-31T12:00:00.000Z',
      finishedAt: '2027-01-31T12:00:04.000Z',
      detail: 'Accepted 5 times in a row.',
    },
  ],
  exposure: {
    before: { liveUrls: 128, subjects: 17, latestExpiresAt: '2027-01-31T13:00:00.000Z' },
    now: { liveUrls: 64, subjects: 9, latestExpiresAt: '2027-01-31T13:00:00.000Z' },
  },
  waitingFor: { what: 'urls', until: '2027-01-31T13:00:00.000Z' },
  control: null,
  problem: null,
  revokedAt: null,
  createdAt: '2027-01-31T12:00:00.000Z',
  finishedAt: null,
})
export class RotationResponse {
  @Uuid() id!: string;

  /** The bucket's registered name. */
  bucket!: string;

  /** `revocation`: without a new key. */
  mode!: RotationMode;

  /** `needs-operator`: `problem` says what happened, and what to do. */
  state!: 'running' | 'waiting' | 'done' | 'needs-operator';

  reason!: string;

  /** Whose token it was. */
  requestedBy!: string;

  /** The key that goes; null where the bucket had none that signs. */
  @Uuid() signingKeyId!: string | null;

  /** The key that comes; null until there is one, and in a revocation. */
  @Uuid() newSigningKeyId!: string | null;

  /** All that were begun, in order. */
  steps!: RotationStepResponse[];

  exposure!: RotationExposure;

  /** Null where nothing is waited for. */
  @ApiProperty({ nullable: true, type: () => RotationWaitingFor }) waitingFor!: RotationWaitingFor | null;

  /** What showed that the store was well while it refused the key; null until that was seen. */
  @ApiProperty({ nullable: true, type: () => RotationControl }) control!: RotationControl | null;

  problem!: string | null;

  /** When the store had been seen refusing the key several times in a row. */
  @Timestamp() revokedAt!: string | null;

  @Timestamp() createdAt!: string;
  @Timestamp() finishedAt!: string | null;
}

export class RotationPage {
  items!: RotationResponse[];

  /** Null on the last page. */
  nextCursor!: string | null;
}
