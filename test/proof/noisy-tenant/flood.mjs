// Asks RATE times a second, evenly, on 32 connections that it keeps, until it is told to stop, and tells what it heard.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const CONNECTIONS = 32;
const { URL: url, TOKEN: token, BUCKET: bucket, RATE } = process.env;
const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const counts = { served: 0, refused: 0, other: 0 };
const body = JSON.stringify({ bucket, key: 'shared/noise' });
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': body.length };

const ask = () =>
  new Promise((resolve) => {
    const request = http.request(`${url}/download-url`, { method: 'POST', headers, agent }, (response) => {
      response.resume();
      response.on('close', () => resolve(response.statusCode));
    });
    request.on('error', () => resolve(null));
    request.end(body);
  });

async function lane(n) {
  const everyMs = (1000 * CONNECTIONS) / Number(RATE);
  await sleep((n * everyMs) / CONNECTIONS);
  for (;;) {
    const next = sleep(everyMs);
    const status = await ask();
    counts[status === 201 ? 'served' : status === 429 ? 'refused' : 'other']++;
    if (counts.refused === 1 && status === 429) process.send('begun');
    await next;
  }
}

process.on('message', () => process.send(counts, () => process.exit(0)));
for (let n = 0; n < CONNECTIONS; n++) void lane(n);
