import type { StoreAnswer } from '@countersign/objects';
import { failed, inWords, isObeyed, type Outcome, passed } from './outcome.js';
import type { Trial } from './trial.js';

/** The object that most trials are about, and what is in it. */
export const OBJECT = 'object';
export const contentOf = ({ folder }: Trial): string => `countersign ${folder}`;

/** Any answer will do. */
export async function tryReaching(trial: Trial): Promise<Outcome> {
  const answer = await trial.ask(trial.addressOf(OBJECT), { method: 'GET' });
  if (answer.isAnswered) return passed('The store answered.');
  return failed(
    `The store at ${new URL(trial.addressOf(OBJECT)).host} gave no answer: ${answer.why}.`,
    "Correct the bucket's endpoint, or let this installation reach it.",
  );
}

/** What is put comes back. */
export async function tryCredentials(trial: Trial): Promise<Outcome> {
  const content = contentOf(trial);
  const put = await trial.put(await trial.uploadUrl(OBJECT, content), content);
  if (!isObeyed(put))
    return failed(`An upload by the active signing key was refused: ${inWords(put)}.`, remedyFor(put));
  const got = await trial.get(OBJECT);
  if (!isObeyed(got)) return failed(`What was uploaded cannot be downloaded: ${inWords(got)}.`, remedyFor(got));
  if (got.body.toString() === content) return passed('What was uploaded came back.');
  return failed('Something else came back than was uploaded.', 'Find out what stands between here and the store.');
}

const REMEDIES: Readonly<Record<string, string>> = {
  InvalidAccessKeyId: 'The store does not know the access key: rotate the signing key.',
  SignatureDoesNotMatch:
    'The secret or the region is wrong, or a proxy changes the Host header: rotate the signing key, correct the region, or mend the proxy.',
  AccessDenied:
    'Let the signing key put and get objects under the prefix: GET /buckets/{name}/storage-policy has the policy for it.',
  NoSuchBucket: 'There is no such bucket at the store: make it, or register the right name.',
  RequestTimeTooSkewed: 'Set the clocks, of the store or of the database.',
  NotImplemented: 'The store does not know If-None-Match: *, which every upload carries unless it may overwrite.',
  PermanentRedirect: "Correct the bucket's region.",
  AuthorizationHeaderMalformed: "Correct the bucket's region.",
  ExpiredToken: 'The credential has expired: rotate the signing key.',
};

function remedyFor(answer: StoreAnswer): string {
  return REMEDIES[answer.isAnswered ? answer.code : ''] ?? "Look up the store's answer in its documentation.";
}

/** S3 believes a request that is 15 minutes off; a URL of one minute is dead by then. */
const MAX_SKEW_SECONDS = 60;

/** The store's own Date, whatever else it says. */
export async function tryClock(trial: Trial): Promise<Outcome> {
  const answer = await trial.ask(trial.addressOf(OBJECT), { method: 'GET' });
  const date = answer.isAnswered ? Date.parse(answer.headers.get('date') ?? '') : Number.NaN;
  if (Number.isNaN(date))
    return failed(`The store does not tell the time: ${inWords(answer)}.`, 'See that it sends Date.');
  const seconds = Math.round((date - trial.now.getTime()) / 1000);
  const detail = `The store's clock is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} the database's.`;
  if (Math.abs(seconds) <= MAX_SKEW_SECONDS) return passed(detail);
  return failed(detail, 'Set both by NTP: URLs expire too early or too late, or are not believed at all.');
}
