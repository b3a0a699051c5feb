import {
  type AccessKeyMetadata,
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  GetAccessKeyLastUsedCommand,
  IAMClient,
  LimitExceededException,
  NoSuchEntityException,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import type { Outgoing } from '@countersign/outgoing';
import { listAccessKeys } from './aws-access-keys.js';
import { awsFault } from './aws-fault.js';
import { IssuerHttpHandler } from './issuer-http-handler.js';
import {
  CALL_TIMEOUT_MS,
  type CreationIntent,
  type IssuedKey,
  type KeyIssuer,
  KeyIssuerError,
  type Recovery,
} from './key-issuer.js';

export interface AwsIamSettings {
  /** The IAM user whose access keys sign. It must be Countersign's own, for this bucket: keys that appear in it are taken for ours. */
  userName: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
  /** us-east-1, where the global IAM is, when left out. */
  region?: string | undefined;
  /** AWS's own when left out. */
  endpoint?: string | undefined;
}

export interface AwsIamOptions {
  timeoutMs?: number;
  /** IAM shows a new key some seconds late: how long an attempt may have succeeded unseen. */
  settleMs?: number;
}

/** "Each IAM user can have a maximum of two access keys" (IAM User Guide, "IAM and AWS STS quotas"; it cannot be raised). */
const MAX_KEYS = 2;

/** A key that is older than the attempt by less than this may be ours all the same, if IAM's clocks differ; by more, it is not. */
const CLOCK_DOUBT_MS = 60_000;

/** A key that is newer than the attempt by more than this is none of it, whenever it is asked after. */
const LATE_MS = 600_000;

/**
 * An IAM user's access keys. IAM chooses the name of a key and shows it some seconds late, so after an attempt of unknown outcome a key is
 * taken for ours only where it was not there before, is as old as the attempt and was never used.
 */
export class AwsIamKeyIssuer implements KeyIssuer {
  readonly #client: IAMClient;
  readonly #userName: string;
  readonly #timeoutMs: number;
  readonly #settleMs: number;

  constructor(
    outgoing: Outgoing,
    { userName, region = 'us-east-1', endpoint, accessKeyId, secretAccessKey, sessionToken }: AwsIamSettings,
    { timeoutMs = CALL_TIMEOUT_MS, settleMs = 30_000 }: AwsIamOptions = {},
  ) {
    this.#userName = userName;
    this.#timeoutMs = timeoutMs;
    this.#settleMs = settleMs;
    this.#client = new IAMClient({
      region,
      ...(endpoint === undefined ? {} : { endpoint }),
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
      maxAttempts: 1,
      requestHandler: new IssuerHttpHandler(outgoing),
    });
  }

  async prepare(): Promise<CreationIntent> {
    const { keys, at } = await this.#list(this.#deadline());
    return { accessKeyId: null, knownAccessKeyIds: keys.map(idOf), preparedAt: at.toISOString() };
  }

  async create(): Promise<IssuedKey> {
    const abortSignal = this.#deadline();
    try {
      const command = new CreateAccessKeyCommand({ UserName: this.#userName });
      const { AccessKey: made } = await this.#client.send(command, { abortSignal });
      if (made?.AccessKeyId && made.SecretAccessKey)
        return { accessKeyId: made.AccessKeyId, secretAccessKey: made.SecretAccessKey };
    } catch (error) {
      if (error instanceof LimitExceededException) throw await this.#limit(abortSignal);
      throw awsFault(`to make an access key of the user "${this.#userName}"`, error);
    }
    throw new KeyIssuerError('unknown', 'IAM did not tell the new access key.');
  }

  async afterUnknown({ knownAccessKeyIds, preparedAt }: CreationIntent): Promise<Recovery> {
    const signal = this.#deadline();
    const { keys, at } = await this.#list(signal);
    const attemptedAt = Date.parse(preparedAt);
    // A user that has all the keys it can have hides none.
    if (keys.length < MAX_KEYS && at.getTime() - attemptedAt < this.#settleMs) return { kind: 'wait' };

    const candidates = keys.filter((key) => {
      const age = createdAt(key) - attemptedAt;
      return !knownAccessKeyIds.includes(idOf(key)) && !(age < -CLOCK_DOUBT_MS || age > LATE_MS);
    });
    const [candidate] = candidates;
    if (!candidate) return { kind: 'nothing-made' };
    const age = createdAt(candidate) - attemptedAt;
    const unclear = { kind: 'unclear', accessKeyIds: candidates.map(idOf) } as const;
    const isOfThatTime = age >= 0 && age <= this.#timeoutMs + CLOCK_DOUBT_MS;
    if (candidates.length > 1 || !isOfThatTime) return unclear;
    const use = await this.#useOf(idOf(candidate), signal);
    // It is listed still, or told too early.
    if (use === 'not-there') return { kind: 'wait' };
    return use === 'unused' ? { kind: 'unused', accessKeyId: idOf(candidate) } : unclear;
  }

  disable(accessKeyId: string): Promise<void> {
    const input = { UserName: this.#userName, AccessKeyId: accessKeyId, Status: 'Inactive' } as const;
    return this.#unlessGone(accessKeyId, `to disable ${accessKeyId}`, (abortSignal) =>
      this.#client.send(new UpdateAccessKeyCommand(input), { abortSignal }),
    );
  }

  remove(accessKeyId: string): Promise<void> {
    const input = { UserName: this.#userName, AccessKeyId: accessKeyId };
    return this.#unlessGone(accessKeyId, `to delete ${accessKeyId}`, (abortSignal) =>
      this.#client.send(new DeleteAccessKeyCommand(input), { abortSignal }),
    );
  }

  async #unlessGone(
    accessKeyId: string,
    wanted: string,
    act: (signal: AbortSignal) => Promise<unknown>,
  ): Promise<void> {
    const signal = this.#deadline();
    try {
      await act(signal);
    } catch (error) {
      if (!(error instanceof NoSuchEntityException)) throw awsFault(wanted, error);
      await this.#assertGone(accessKeyId, signal);
    }
  }

  /** IAM says NoSuchEntity of a key that is gone, but also of one that is too new, of another user's, and where there is no such user. */
  async #assertGone(accessKeyId: string, signal: AbortSignal): Promise<void> {
    const { keys } = await this.#list(signal);
    if (keys.some((key) => idOf(key) === accessKeyId))
      throw new KeyIssuerError('unknown', `IAM says that ${accessKeyId} is not there, and lists it.`);
    const owner = await this.#ownerOf(accessKeyId, signal);
    if (owner === null || owner === this.#userName) return;
    throw new KeyIssuerError(
      'refused',
      `${accessKeyId} belongs to the user "${owner}" and not to "${this.#userName}": correct the bucket's key issuer, or delete the key by hand.`,
    );
  }

  /** Null where IAM knows no such key, or does not tell: a credential for one user may not ask about the keys of others. */
  async #ownerOf(accessKeyId: string, abortSignal: AbortSignal): Promise<string | null> {
    try {
      const command = new GetAccessKeyLastUsedCommand({ AccessKeyId: accessKeyId });
      return (await this.#client.send(command, { abortSignal })).UserName ?? null;
    } catch (error) {
      const fault = awsFault(`to find ${accessKeyId}`, error);
      if (fault.kind === 'refused') return null;
      throw fault;
    }
  }

  async #useOf(accessKeyId: string, abortSignal: AbortSignal): Promise<'used' | 'unused' | 'not-there'> {
    try {
      const command = new GetAccessKeyLastUsedCommand({ AccessKeyId: accessKeyId });
      const { AccessKeyLastUsed: use } = await this.#client.send(command, { abortSignal });
      return use?.LastUsedDate === undefined ? 'unused' : 'used';
    } catch (error) {
      if (error instanceof NoSuchEntityException) return 'not-there';
      throw awsFault(`to tell when ${accessKeyId} was last used`, error);
    }
  }

  async #limit(signal: AbortSignal): Promise<KeyIssuerError> {
    const { keys } = await this.#list(signal).catch(() => ({ keys: [] }));
    const names = keys.map((key) => `${idOf(key)} (${key.Status}, made ${key.CreateDate?.toISOString()})`);
    return new KeyIssuerError(
      'limit',
      `The user "${this.#userName}" has as many access keys as IAM allows: ${names.join(' and ')}. Delete the one that nobody uses, and try again.`,
    );
  }

  #list(signal: AbortSignal): ReturnType<typeof listAccessKeys> {
    return listAccessKeys(this.#client, this.#userName, signal);
  }

  /** Of all requests that one call of ours takes. */
  #deadline(): AbortSignal {
    return AbortSignal.timeout(this.#timeoutMs);
  }
}

const idOf = (key: AccessKeyMetadata): string => key.AccessKeyId ?? '';

/** IAM gives every key a date; one without could be anybody's. */
const createdAt = (key: AccessKeyMetadata): number => key.CreateDate?.getTime() ?? NaN;
