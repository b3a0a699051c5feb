import type { StoreAnswer } from '@countersign/objects';
import { UPLOAD_ID_METADATA } from '@countersign/signing';
import { failed, inWords, isObeyed, type Outcome, passed, skipped } from './outcome.js';
import { OBJECT } from './reaching.js';
import type { Trial } from './trial.js';

/** What an upload URL may pin: a page cannot send what the preflight does not allow. */
const PINNED = [
  'content-disposition',
  'content-type',
  'if-none-match',
  'x-amz-acl',
  'x-amz-checksum-sha256',
  UPLOAD_ID_METADATA,
];

/** What a browser asks before an upload, and lets a page see after a download (Fetch Standard, "CORS protocol"). */
export async function tryBrowsers(trial: Trial, pages: Pages): Promise<Outcome> {
  const { origins } = pages;
  if (origins.length === 0) return skipped('CORS_ORIGINS names no page that could use the store.');
  const { url } = await trial.uploadUrl('cors', '');
  const faults = await Promise.all(origins.map((origin) => faultFor(trial, url, origin, pages)));
  const found = origins.flatMap((origin, index) => (faults[index] ? [`${origin}: ${faults[index]}.`] : []));
  if (found.length === 0) return passed(`Pages of ${origins.join(', ')} can upload and download, and read ETag.`);
  const methods = pages.sendForms ? 'GET, HEAD, PUT and POST' : 'GET, HEAD and PUT';
  return failed(
    found.join(' '),
    `In the bucket's CORS rules, allow ${origins.join(', ')} the methods ${methods} and the headers ${PINNED.join(', ')}, and expose ETag.`,
  );
}

export interface Pages {
  origins: readonly string[];
  /** Whether the bucket's uploads may be forms. */
  sendForms: boolean;
}

async function faultFor(trial: Trial, url: string, origin: string, { sendForms }: Pages): Promise<string | null> {
  const fault =
    (await preflightFault(trial, url, { origin, method: 'PUT', headers: PINNED })) ??
    // A form is asked about beforehand as soon as the page listens to its progress (XMLHttpRequest Standard, "send()").
    (sendForms ? await preflightFault(trial, trial.bucketAddress, { origin, method: 'POST', headers: [] }) : null);
  if (fault !== null) return fault;

  const download = await trial.get(OBJECT, { origin });
  if (!isObeyed(download)) return `a download was refused (${inWords(download)})`;
  if (!isOriginAllowed(download, origin)) return 'a download cannot be read';
  return lists(download, 'access-control-expose-headers', 'etag') ? null : 'ETag is not exposed';
}

interface Asked {
  origin: string;
  method: 'PUT' | 'POST';
  headers: readonly string[];
}

async function preflightFault(trial: Trial, url: string, { origin, method, headers }: Asked): Promise<string | null> {
  const preflight = await trial.ask(url, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      ...(headers.length > 0 && { 'access-control-request-headers': headers.join(',') }),
    },
  });
  const what = method === 'PUT' ? 'an upload' : 'an upload form';
  if (!isObeyed(preflight)) return `the preflight of ${what} was refused (${inWords(preflight)})`;
  if (!isOriginAllowed(preflight, origin)) return `the preflight of ${what} does not allow the origin`;
  if (!lists(preflight, 'access-control-allow-methods', method.toLowerCase()))
    return `the preflight of ${what} does not allow ${method}`;
  const missing = headers.filter((name) => !lists(preflight, 'access-control-allow-headers', name));
  return missing.length > 0 ? `the preflight of ${what} does not allow ${missing.join(', ')}` : null;
}

type Answered = StoreAnswer & { isAnswered: true };

const isOriginAllowed = ({ headers }: Answered, origin: string): boolean =>
  ['*', origin].includes(headers.get('access-control-allow-origin') ?? '');

function lists({ headers }: Answered, header: string, name: string): boolean {
  const listed = (headers.get(header) ?? '').split(',').map((each) => each.trim().toLowerCase());
  return listed.includes(name) || listed.includes('*');
}
