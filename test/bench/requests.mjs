// What is asked, of ours and of the peers alike: as many different requests as there are users, each with a token and a key of its own.
import { BUCKET } from './world.mjs';

export const BATCH = 100;

/** A spread of object numbers, so that neighbouring requests differ. */
const keyOf = (subject, n) => `users/${subject}/photos/2026/img-${String((n * 61) % 10_000).padStart(4, '0')}.png`;

export const downloads = (identity) => toRequests(identity, '/download-url', (key) => ({ bucket: BUCKET, key }), 1);

export const uploads = (identity) =>
  toRequests(
    identity,
    '/upload-url',
    (key) => ({ bucket: BUCKET, key, contentType: 'image/png', contentLength: 48_213 }),
    1,
  );

export const batches = (identity) =>
  toRequests(identity, '/download-urls', (key) => ({ bucket: BUCKET, key }), BATCH, 200);

function toRequests({ subjects, tokens }, path, toItem, urls, status = 201) {
  const requests = subjects.map((subject, n) => {
    const items = Array.from({ length: urls }, (_, i) => toItem(keyOf(subject, n + i * 7)));
    return {
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens[n]}` },
      body: JSON.stringify(urls === 1 ? items[0] : { items }),
    };
  });
  return { requests, expected: { status, signatures: urls } };
}
