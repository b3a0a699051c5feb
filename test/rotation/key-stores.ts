import { type IssuedKey, type KeyIssuer, KeyIssuerError, type KeyIssuerType } from '@countersign/signing-keys';
import { AwsIamKeyIssuer } from '../../libs/signing-keys/src/key-issuers/aws-iam-key-issuer.js';
import { callCephAdmin } from '../../libs/signing-keys/src/key-issuers/ceph-admin.js';
import { IAM_ADMIN, type IamAction, type IamFault, IamStandIn } from '../support/iam-stand-in.js';
import { observed } from './course.js';
import { makeAccessKey, storageAdmin, storageKeyIssuer, untilKnown } from '../support/storage-keys.js';
import { OUTGOING } from '../support/outgoing.js';

/** Where one rotation's keys are made and taken away, and what is really there. */
export interface KeyStore {
  type: KeyIssuerType;
  /** The bucket's first signing key, already there. */
  firstKey: IssuedKey;
  issuer: KeyIssuer;
  /** All access keys that the user has, whoever made them. */
  names(): Promise<string[]>;
  /** Those that others made in the same user. */
  foreign: string[];
  /** What the operator does where the rotation needs them; false where nothing can be done. */
  help(): Promise<boolean>;
  close(): Promise<void>;
}

/** A user of the run's store, as Ceph's Admin Ops API has it. Other tests make keys there, too: those are not named. */
export async function cephStore(): Promise<KeyStore> {
  const firstKey = await makeAccessKey();
  const own = new Set([firstKey.accessKeyId]);
  const issuer = storageKeyIssuer();
  const { uid, ...admin } = storageAdmin();
  return {
    type: 'ceph-rgw',
    firstKey,
    issuer: {
      ...issuer,
      prepare: async () => {
        const intent = await issuer.prepare();
        own.add(intent.accessKeyId ?? '');
        return intent;
      },
    },
    names: () =>
      untilKnown(async () => {
        const { status, body } = await callCephAdmin(OUTGOING, admin, 'GET', { uid }, AbortSignal.timeout(5_000));
        if (status !== 200) throw new KeyIssuerError('unknown', `The store answered ${status}.`);
        const { keys } = JSON.parse(body.toString()) as { keys: { access_key: string }[] };
        return keys.map((key) => key.access_key).filter((name) => own.has(name));
      }),
    foreign: [],
    help: () => Promise.resolve(false),
    close: () => Promise.resolve(),
  };
}

const USER = 'signer';

/** Short, for a silent IAM; long enough for a busy machine. */
const TIMEOUT_MS = 400;

/** How IAM is, for one rotation. */
export interface IamWeather {
  /** What goes wrong, by action, with one call after the other. */
  faults?: Partial<Record<IamAction, IamFault[]>>;
  /** How long a key that was cut off is believed. */
  deadMs?: number;
  /** Whether its list is behind, so that an attempt has to be waited for. */
  isListLate?: boolean;
  /** Whether it takes nothing away when it is asked for the first time. */
  isHurried?: boolean;
  /** Somebody else makes a key in the same user: before all, or while a key of ours is being made. */
  foreign?: 'before' | 'meanwhile';
}

/** An IAM user of its own, at a stand-in of its own. */
export async function iamStore(weather: IamWeather): Promise<KeyStore> {
  const { faults = {}, deadMs = 60, isListLate = false, isHurried = false, foreign } = weather;
  const iam = await IamStandIn.start(storageAdmin(), storageAdmin().uid);
  const firstKey = await makeAccessKey();
  iam.users.add(USER, firstKey);
  Object.assign(iam.users.lag, { usableMs: 60, deadMs, unlistedMs: 20, listedMs: isListLate ? 80 : 0 });
  for (const [action, scripted] of Object.entries(faults)) iam.script(action as IamAction, ...scripted);

  const others: string[] = [];
  const addForeign = async (): Promise<void> => {
    const key = await iam.users.create(USER);
    key.usedAt = Date.now();
    others.push(key.accessKeyId);
  };
  if (foreign === 'before') await addForeign();
  const settings = { ...IAM_ADMIN, userName: USER, endpoint: iam.endpoint };
  const issuer = new AwsIamKeyIssuer(OUTGOING, settings, { timeoutMs: TIMEOUT_MS, settleMs: isListLate ? 500 : 0 });
  const asked = new Set<unknown>();
  let isMeanwhile = foreign === 'meanwhile';
  return {
    type: 'aws-iam',
    firstKey,
    issuer: observed(issuer, ['create', 'remove'], async (name, [accessKeyId], act) => {
      if (name === 'create' && isMeanwhile) await addForeign();
      isMeanwhile &&= name !== 'create';
      const isFirst = name === 'remove' && !asked.has(accessKeyId);
      asked.add(accessKeyId);
      if (isHurried && isFirst) throw new KeyIssuerError('throttled', 'Not so fast.');
      return act();
    }),
    names: () => Promise.resolve(iam.users.of(USER).map(({ accessKeyId }) => accessKeyId)),
    foreign: others,
    help: async () => {
      const name = others.pop();
      if (name !== undefined) await iam.users.delete(USER, name);
      return name !== undefined;
    },
    close: () => iam.close(),
  };
}
