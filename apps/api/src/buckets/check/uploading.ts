import { createHash } from 'node:crypto';
import { failed, inWords, isObeyed, isRefused, type Outcome, passed, skipped } from './outcome.js';
import { contentOf, OBJECT } from './reaching.js';
import type { Trial } from './trial.js';

/** A second upload to a key where something is. */
export async function tryOverwriting(trial: Trial): Promise<Outcome> {
  const other = 'something else';
  const answer = await trial.put(await trial.uploadUrl(OBJECT, other), other);
  // Amazon S3 User Guide, "Conditional writes": 409 where another write came first.
  if (answer.isAnswered && [409, 412].includes(answer.status)) {
    return passed(`A second upload to a key was refused: ${inWords(answer)}.`);
  }
  if (isObeyed(answer)) {
    return failed(
      'A second upload replaced the first one: the store ignores If-None-Match.',
      'Hand out every key once, switch on versioning, or use a store that knows conditional writes.',
    );
  }
  return failed(`A second upload to a key was answered with ${inWords(answer)} in place of 412.`, 'Check again.');
}

/** Bytes that are not what the pinned checksum says. */
export async function tryChecksums(trial: Trial): Promise<Outcome> {
  const [body, other] = ['countersign', 'countersigm'];
  const checksumSha256 = createHash('sha256').update(other).digest('base64');
  const answer = await trial.put(await trial.uploadUrl('checksum', body, { checksumSha256 }), body);
  if (isRefused(answer)) return passed(`A body other than its pinned checksum says was refused: ${inWords(answer)}.`);
  if (!isObeyed(answer))
    return failed(`The upload of a wrong body was answered with ${inWords(answer)}.`, 'Check again.');
  return failed(
    'The store took a body that is not what its pinned checksum says.',
    'Do not take checksumSha256 for proof at this store: whether an upload is complete is verified by reading it.',
  );
}

const FOUR_BYTES = { min: 4, max: 4 };

/** Forms that the store would have to hold to a size. None of them leaves this process but to the store. */
export async function tryPostPolicies(trial: Trial): Promise<Outcome> {
  const good = await trial.post('form', 'four', FOUR_BYTES);
  if (!isObeyed(good))
    return skipped(`The store did not take a good form (${inWords(good)}): uploads by POST are not offered.`);
  const tooLarge = await trial.post('form-too-large', 'fives', FOUR_BYTES);
  if (isRefused(tooLarge)) return passed(`A form with more bytes than it allows was refused: ${inWords(tooLarge)}.`);
  return failed(
    `A form with more bytes than it allows was answered with ${inWords(tooLarge)}.`,
    'Hand out no upload forms for this bucket: upload URLs pin the length.',
  );
}

/** An ACL that nobody signed, and then a reader without a signature. */
export async function tryPublicAcl(trial: Trial): Promise<Outcome> {
  const content = contentOf(trial);
  const issued = await trial.uploadUrl('public', content, { acl: 'none' });
  const put = await trial.put(issued, content, { 'x-amz-acl': 'public-read' });
  if (isRefused(put)) return passed(`An unsigned x-amz-acl: public-read was refused: ${inWords(put)}.`);
  if (!isObeyed(put))
    return failed(`An unsigned x-amz-acl: public-read was answered with ${inWords(put)}.`, 'Check again.');
  const anonymous = await trial.ask(trial.addressOf('public'), { method: 'GET' });
  if (!isObeyed(anonymous)) return passed(`An unsigned x-amz-acl: public-read had no effect: ${inWords(anonymous)}.`);
  const pinned = trial.bucket.acl === 'private';
  return failed(
    `Whoever adds x-amz-acl: public-read to an upload publishes it${pinned ? ', where the ACL is not pinned as upload URLs of this bucket have it' : ''}.`,
    `Block public ACLs at the bucket, or put the bucketPolicy of GET /buckets/${trial.bucket.name}/storage-policy on it${pinned ? '' : ', and set acl to "private"'}.`,
  );
}
