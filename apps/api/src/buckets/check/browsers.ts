import type { StoreAnswer } from '@countersign/objects';
import { failed, inWords, isObeyed, type Outcome, passed, skipped } from './outcome.js';
import { OBJECT } from './reaching.js';
import type { Trial } from './trial.js';

/** What an upload URL may pin: a page cannot send what the preflight does not allow. */
const PINNED = ['content-disposition', 'content-type', 'if-none-match', 'x-amz-acl', 'x-amz-checksum-sha256'];

/** What a browser asks before an upload, and lets a page see after a download (Fetch Standard, "CORS protocol"). */
export async function tryBrowsers(trial: Trial, origins: readonly string[]): Promise<Outcome> {
  if (origins.length === 0) return skipped('CORS_ORIGINS names no page that could use the store.');
  const { url } = await trial.uploadUrl('cors', '');
  const faults = await Promise.all(origins.map((origin) => faultFor(trial, url, origin)));
  const found = origins.flatMap((origin, index) => (faults[index] ? [`${origin}: ${faults[index]}.`] : []));
  if (found.length === 0) return passed(`Pages of ${origins.join(', ')} can upload and download, and read ETag.`);
  return failed(
    found.join(' '),
    `In the bucket's CORS rules, allow ${origins.join(', ')} the methods GET, HEAD and PUT and the headers ${PINNED.join(', ')}, and expose ETag.`,
  );
}

async function faultFor(trial: Trial, url: string, origin: string): Promise<string | null> {
  const preflight = await trial.ask(url, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': PINNED.join(','),
    },
  });
  if (!isObeyed(preflight)) return `the preflight of an upload was refused (${inWords(preflight)})`;
  if (!isOriginAllowed(preflight, origin)) return 'the preflight does not allow the origin';
  if (!lists(preflight, 'access-control-allow-methods', 'put')) return 'the preflight does not allow PUT';
  const missing = PINNED.filter((name) => !lists(preflight, 'access-control-allow-headers', name));
  if (missing.length > 0) return `the preflight does not allow ${missing.join(', ')}`;

  const download = await trial.get(OBJECT, { origin });
  if (!isObeyed(download)) return `a download was refused (${inWords(download)})`;
  if (!isOriginAllowed(download, origin)) return 'a download cannot be read';
  return lists(download, 'access-control-expose-headers', 'etag') ? null : 'ETag is not exposed';
}

type Answered = StoreAnswer & { isAnswered: true };

const isOriginAllowed = ({ headers }: Answered, origin: string): boolean =>
  ['*', origin].includes(headers.get('access-control-allow-origin') ?? '');

function lists({ headers }: Answered, header: string, name: string): boolean {
  const listed = (headers.get(header) ?? '').split(',').map((each) => each.trim().toLowerCase());
  return listed.includes(name) || listed.includes('*');
}
