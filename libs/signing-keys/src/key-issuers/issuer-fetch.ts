import { NoAnswer, type Outgoing } from '@countersign/outgoing';
import { KeyIssuerError } from './key-issuer.js';

/** An answer that has arrived whole. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/** A user with many keys fits in; whoever runs the endpoint may not fill our memory. */
const MAX_BODY_BYTES = 1024 * 1024;

/**
 * One request to an endpoint that an administrator named, and its whole answer, for as long as the signal allows.
 * @throws KeyIssuerError `unknown` where there is no answer: the request may have been obeyed. Its message names the host and no query.
 */
export async function issuerFetch(
  outgoing: Outgoing,
  url: URL,
  { method, headers, body }: { method: string; headers: Record<string, string>; body?: string | undefined },
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const answer = await outgoing.ask(url, { method, headers, body }, signal, MAX_BODY_BYTES);
    const { status } = answer;
    const isError = status < 200 || status > 299;
    return {
      status,
      headers: Object.fromEntries(answer.headers),
      body: isError ? withoutSecrets(answer.body, headers) : answer.body,
    };
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    throw new KeyIssuerError('unknown', `${url.host} gave no answer: ${error.message}.`);
  }
}

/** Attack: an endpoint whose error says what it was sent, as AWS's own does where a signature is wrong; administrators read those words. */
function withoutSecrets(body: Buffer, headers: Record<string, string>): Buffer {
  let words = body.toString('latin1');
  for (const [name, value] of Object.entries(headers)) {
    const secret = SECRETS[name.toLowerCase()]?.exec(value)?.[0];
    for (const written of secret ? [secret, encodeURIComponent(secret)] : []) words = words.replaceAll(written, '***');
  }
  return Buffer.from(words, 'latin1');
}

/** What of these headers must be shown to nobody. The secret itself is in no request. */
const SECRETS: Record<string, RegExp> = { authorization: /[0-9a-f]{64}$/, 'x-amz-security-token': /.+/ };
