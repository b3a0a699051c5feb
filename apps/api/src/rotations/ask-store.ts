import { askStore as ask, type StoreAnswer } from '@countersign/objects';
import type { Outgoing, OutgoingRequest } from '@countersign/outgoing';
import type { Answer } from '@countersign/signing-keys';

/** One request by a presigned URL, and what its answer says of the key. Nothing of the URL is in it, and it never throws. */
export async function askStore(outgoing: Outgoing, url: string, request: OutgoingRequest = {}): Promise<Answer> {
  return classify(await ask(outgoing, url, request));
}

/** Amazon S3 API Reference, "Error responses". Whoever answers without a code of S3 is not the store, or not well. */
function classify(answer: StoreAnswer): Answer {
  if (!answer.isAnswered) return { kind: 'unclear', why: `no answer (${answer.why})` };
  const { status, code } = answer;
  if (status >= 200 && status < 300) return { kind: 'accepted', status };
  // The key was believed, and there is nothing.
  if (status === 404 && code === 'NoSuchKey') return { kind: 'accepted', status };
  const isAboutKey = [400, 401, 403].includes(status) && code !== '' && code !== 'RequestTimeTooSkewed';
  return isAboutKey ? { kind: 'refused', status, code } : { kind: 'unclear', why: `${status} ${code}`.trim() };
}
