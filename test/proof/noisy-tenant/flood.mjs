// Asks RATE times a second on 32 connections until it is told to stop, and tells what it heard.
import autocannon from 'autocannon';

const { URL: url, TOKEN: token, BUCKET: bucket, RATE } = process.env;

const counts = { served: 0, refused: 0, other: 0 };
const flood = autocannon({
  url: `${url}/download-url`,
  method: 'POST',
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  body: JSON.stringify({ bucket, key: 'shared/noise' }),
  connections: 32,
  overallRate: Number(RATE),
  duration: 600,
});
flood.on('response', (_client, status) => {
  counts[status === 201 ? 'served' : status === 429 ? 'refused' : 'other']++;
  if (counts.refused === 1 && status === 429) process.send('begun');
});
process.on('message', () => {
  flood.stop();
  process.send(counts, () => process.exit(0));
});
