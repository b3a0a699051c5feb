import type { Answer } from './issuer-fetch.js';
import { KeyIssuerError, type KeyIssuerErrorKind } from './key-issuer.js';
import { storeWords } from './store-words.js';

/** What to do about a refusal, by its code. */
const REMEDIES: Record<string, string> = {
  AccessDenied: 'Its credential needs the capability users=*.',
  InvalidAccessKeyId: "The gateway does not know the access key of the key issuer's own credential.",
  SignatureDoesNotMatch: "The secret of the key issuer's own credential is wrong.",
  RequestTimeTooSkewed: "The gateway's clock and ours differ.",
};

/** Why the gateway did not do what it was asked. `wanted` follows "refused": "to make the key AK". */
export function cephFault(wanted: string, answer: Answer, uid: string): KeyIssuerError {
  const kind = kindOf(answer);
  const said = storeWords(String(answer.status), codeOf(answer));
  if (kind === 'unknown') return new KeyIssuerError(kind, `The gateway failed ${wanted}: ${said}.`);
  return new KeyIssuerError(kind, `The gateway refused ${wanted}: ${said}. ${remedyFor(answer, uid)}`.trimEnd());
}

export const isSuccess = ({ status }: Answer): boolean => status >= 200 && status < 300;

/** Of a refusal, `{"Code": …}`; empty where it is none of Ceph's. */
export function codeOf({ body }: Answer): string {
  try {
    const { Code: code } = JSON.parse(body.toString()) as { Code?: unknown };
    return typeof code === 'string' && /^\w{1,60}$/.test(code) ? code : '';
  } catch {
    return '';
  }
}

function kindOf(answer: Answer): KeyIssuerErrorKind {
  const code = codeOf(answer);
  if (answer.status === 429 || code === 'SlowDown') return 'throttled';
  if (answer.status >= 500) return 'unknown';
  return code === 'LimitExceeded' ? 'limit' : 'refused';
}

function remedyFor(answer: Answer, uid: string): string {
  const code = codeOf(answer);
  if (code === 'NoSuchUser') return `There is no user "${uid}".`;
  if (code === 'KeyExists') return `Another user than "${uid}" has a key of this name.`;
  if (answer.status < 400) return 'It sends on to another address: give the key issuer the endpoint itself.';
  return REMEDIES[code] ?? '';
}
