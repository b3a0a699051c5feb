import { allowsContentType, isActive } from './content-type.js';
import { presentDownload } from './disposition.js';
import { signingTime } from './signing-time.js';
import { modeViolations, sizeViolations, type StoreOffer, type WantedSize } from './upload-mode.js';
import { isFor, type UseCase } from './use-case.js';
import type { Violation } from './violation.js';

/** For how long a permitted request asks. Times are whole seconds since the epoch. */
export interface WantedTime {
  now: number;
  expiresInSeconds: number | null;
  /** Whether whoever asks for the same is to get the same URL, for a while. */
  isStable: boolean;
  /** When the credential that would sign dies, or null: never. */
  credentialExpiresAt: number | null;
}

/** For what it asks. */
export type WantedContent = WantedDownload | WantedUpload;

interface WantedDownload {
  action: 'read';
  key: string;
  disposition: 'attachment' | 'inline' | null;
  hasFilename: boolean;
  contentType: string | null;
}

interface WantedUpload extends WantedSize {
  action: 'write';
  contentType: string;
  overwrite: boolean;
}

/** What may be signed. */
export interface Terms {
  /** What the expiry is counted from: now, or before it where the URL is stable. */
  issuedAt: number;
  expiresInSeconds: number;
  expiryLimitedBy: 'credential' | null;
  disposition: 'attachment' | 'inline' | null;
  /** Of a download: what the store is told to answer as, or null. Of an upload: what is stored. */
  contentType: string | null;
}

export type Outcome = { isWithin: true; terms: Terms } | { isWithin: false; violations: [Violation, ...Violation[]] };

/**
 * The terms to sign, or every violation at once. Expiry is the truth: it is what was asked for (or the use case's default), and only
 * the life of the credential can cut it, which the terms then say. A stable URL's terms are the same all through its window. Pure.
 */
export function applyPolicy(
  useCase: UseCase | null,
  wanted: WantedContent,
  time: WantedTime,
  store: StoreOffer,
): Outcome {
  if (!useCase || !isFor(useCase, wanted.action)) {
    const message = useCase ? `is for "${useCase.action}" only` : 'is not a use case of this tenant';
    return { isWithin: false, violations: [{ code: 'use-case-not-found', pointer: '/useCase', message }] };
  }
  const [first, ...rest] = [
    ...expiryViolations(useCase, time),
    ...typeViolations(useCase, wanted),
    ...(wanted.action === 'write' ? uploadViolations(useCase, wanted, store) : []),
  ];
  if (first) return { isWithin: false, violations: [first, ...rest] };

  const asked = time.expiresInSeconds ?? useCase.defaultExpirySeconds ?? useCase.minExpirySeconds;
  const issuedAt = signingTime(time.now, asked, time.isStable);
  const credentialLife = time.credentialExpiresAt === null ? Infinity : time.credentialExpiresAt - issuedAt;
  const isCut = credentialLife < asked;
  const { disposition, contentType } = presentation(useCase, wanted);
  return {
    isWithin: true,
    terms: {
      issuedAt,
      expiresInSeconds: isCut ? credentialLife : asked,
      expiryLimitedBy: isCut ? 'credential' : null,
      disposition,
      contentType,
    },
  };
}

function expiryViolations(useCase: UseCase, { expiresInSeconds }: WantedTime): Violation[] {
  const pointer = '/expiresInSeconds';
  const { minExpirySeconds, maxExpirySeconds } = useCase;
  const limits = { minExpirySeconds, maxExpirySeconds };
  const range = `${minExpirySeconds} to ${maxExpirySeconds} seconds`;
  if (expiresInSeconds === null) {
    if (useCase.defaultExpirySeconds !== null) return [];
    return [
      {
        code: 'expiry-required',
        pointer,
        message: `must be given: "${useCase.name}" has no default; it allows ${range}`,
        limits,
      },
    ];
  }
  if (expiresInSeconds >= minExpirySeconds && expiresInSeconds <= maxExpirySeconds) return [];
  return [{ code: 'expiry-out-of-range', pointer, message: `must be ${range} in "${useCase.name}"`, limits }];
}

function typeViolations(useCase: UseCase, { contentType }: WantedContent): Violation[] {
  if (contentType === null || allowsContentType(useCase.contentTypes, contentType)) return [];
  const limits = { contentTypes: useCase.contentTypes };
  const message = `must be one of ${useCase.contentTypes.join(', ')} in "${useCase.name}"`;
  return [{ code: 'content-type-not-allowed', pointer: '/contentType', message, limits }];
}

function uploadViolations(useCase: UseCase, wanted: WantedUpload, store: StoreOffer): Violation[] {
  const violations = [...modeViolations(wanted, store), ...sizeViolations(useCase, wanted)];
  if (!wanted.overwrite || useCase.overwrite) return violations;
  const message = `is not allowed in "${useCase.name}"`;
  return [
    ...violations,
    { code: 'overwrite-not-allowed', pointer: '/overwrite', message, limits: { overwrite: false } },
  ];
}

function presentation(useCase: UseCase, wanted: WantedContent): Pick<Terms, 'disposition' | 'contentType'> {
  if (wanted.action === 'read') {
    const asked = wanted.disposition ?? (wanted.hasFilename ? 'attachment' : useCase.disposition);
    const disposition = useCase.disposition === 'attachment' ? 'attachment' : asked;
    return presentDownload({ key: wanted.key, disposition, contentType: wanted.contentType });
  }
  // Stored with the object, so that it is an attachment too for those who later reach it without us.
  return { disposition: isActive(wanted.contentType) ? 'attachment' : null, contentType: wanted.contentType };
}
