import { randomUUID } from 'node:crypto';
import type { StoreAnswer } from '@countersign/objects';
import { failed, inWords, isObeyed, isRefused, type Outcome, passed } from './outcome.js';
import { contentOf, OBJECT } from './reaching.js';
import type { Trial } from './trial.js';

/** What an attempt to copy came to. */
interface Attempt {
  by: string;
  outcome: 'copied' | 'not-copied' | 'unclear' | 'not-tried';
  seen: string;
}

/** As long as it likes: an upload URL pins the length of the body, not of what is copied. */
const BODY = 'not a copy';

/**
 * The holder of an upload URL adds x-amz-copy-source, which nobody signed. A store that obeys copies whatever the signing key may read. What
 * is copied here is an object of this trial's own.
 */
export async function tryCopying(trial: Trial): Promise<Outcome> {
  const attempts = [await byUpload(trial), await byPart(trial)];
  const seen = attempts.map(({ by, seen: what }) => `${by}: ${what}.`).join(' ');
  const copied = attempts.filter(({ outcome }) => outcome === 'copied');
  if (copied.length > 0) {
    return failed(
      `Whoever has an upload URL can copy with it what the signing key may read, by an unsigned x-amz-copy-source. ${seen}`,
      `Put the bucketPolicy of GET /buckets/${trial.bucket.name}/storage-policy on the bucket. Until then let the signing key reach nothing but this prefix.`,
    );
  }
  if (attempts.some(({ outcome }) => outcome === 'unclear')) return failed(seen, 'Check again.');
  return passed(`An unsigned x-amz-copy-source copies nothing. ${seen}`);
}

async function byUpload(trial: Trial): Promise<Attempt> {
  const by = 'By an upload URL';
  const answer = await trial.put(await trial.uploadUrl('copied', BODY), BODY, copySource(trial));
  if (!isObeyed(answer)) return refusalOf(by, answer);
  const got = await trial.get('copied');
  if (!isObeyed(got)) return { by, outcome: 'unclear', seen: `taken, but not to be read (${inWords(got)})` };
  const isCopy = got.body.toString() === contentOf(trial);
  return { by, ...(isCopy ? COPIED : IGNORED) };
}

async function byPart(trial: Trial): Promise<Attempt> {
  const by = 'By the URL of a part';
  const pinned = { contentType: 'text/plain', disposition: null, acl: trial.bucket.acl, uploadId: randomUUID() };
  const started = await trial.objects().startUpload(trial.keyOf('parts'), pinned);
  if (started.kind === 'refused') {
    return { by, outcome: 'not-tried', seen: `there are no such uploads (${started.why})` };
  }
  // As many bytes as the URL pins, should the store compare. Ceph 16 goes by no policy here, but takes no body of a copy either.
  const range = { 'x-amz-copy-source-range': `bytes=0-${BODY.length - 1}` };
  const issued = await trial.partUrl('parts', BODY, started.storeUploadId);
  const answer = await trial.put(issued, BODY, { ...copySource(trial), ...range });
  await trial.objects().abortUpload(trial.keyOf('parts'), started.storeUploadId);
  if (!isObeyed(answer)) return refusalOf(by, answer);
  return { by, ...(answer.body.includes('CopyPartResult') ? COPIED : IGNORED) };
}

const COPIED = { outcome: 'copied', seen: 'copied' } as const;
const IGNORED = { outcome: 'not-copied', seen: 'the header was ignored' } as const;

function refusalOf(by: string, answer: StoreAnswer): Attempt {
  return { by, outcome: isRefused(answer) ? 'not-copied' : 'unclear', seen: inWords(answer) };
}

function copySource(trial: Trial): Record<string, string> {
  const key = trial.keyOf(OBJECT).split('/').map(encodeURIComponent).join('/');
  return { 'x-amz-copy-source': `/${trial.bucket.bucket}/${key}` };
}
