import { randomUUID } from 'node:crypto';
import type { Tenant } from '../../support/installation.js';
import type { Ask } from './crowd.js';

/** A store that is never asked: for a URL nobody need be there. */
export const NO_STORE = { endpoint: 'https://s3.example.com', region: 'eu-central-1', bucket: 'acme', keyPrefix: '' };

const SUBJECTS = Array.from({ length: 20 }, (_, n) => `user-${n}`);

/** How many objects one batch names. */
const BATCH = 50;

/** What a tenant's users ask for, each for objects that nobody else asks for: one at a time and many, up and down, by URL and by form. */
export function issuancesOf(tenant: Tenant): (n: number) => Ask {
  const tokens = SUBJECTS.map((subject) => tenant.token(subject));
  return (n) => {
    const subject = n % SUBJECTS.length;
    const item = () => ({ bucket: tenant.bucket, key: `users/${SUBJECTS[subject]}/${randomUUID()}` });
    const upload = (mode: 'put' | 'post') => ({ ...item(), mode, contentType: 'text/plain', contentLength: 1 });
    const many = <T>(make: () => T) => ({ items: Array.from({ length: BATCH }, make) });
    const token = tokens[subject] ?? '';
    switch (n % 10) {
      case 0:
        return { path: '/download-urls', body: many(item), token };
      case 1:
        return { path: '/upload-urls', body: many(() => upload('put')), token };
      case 2:
      case 3:
        return { path: '/upload-url', body: formOf(upload('post')), token };
      case 4:
      case 5:
      case 6:
        return { path: '/upload-url', body: upload('put'), token };
      default:
        return { path: '/download-url', body: item(), token };
    }
  };
}

const formOf = ({ contentLength, ...upload }: { contentLength: number }): object => ({
  ...upload,
  contentLengthRange: { min: 0, max: contentLength },
});

/** How many objects a request is for. */
export const sizeOf = ({ body }: Ask): number => (body as { items?: unknown[] }).items?.length ?? 1;
