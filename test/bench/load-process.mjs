// The load, in a process of its own: autocannon, whose every answer is checked and timed.
import autocannon from 'autocannon';
import { quantile } from './statistics.mjs';

process.on('disconnect', () => process.exit());
process.on('message', (slot) => {
  run(slot).then(
    (result) => process.send({ result }),
    (error) => process.send({ error: String(error?.stack ?? error) }),
  );
});

async function run({ url, requests, expected, connections, seconds }) {
  const milliseconds = [];
  let wrong = null;
  let wrongBody = null;
  let connection = 0;
  const started = process.cpuUsage();
  const outcome = await autocannon({
    url,
    connections,
    duration: seconds,
    sampleInt: 100,
    timeout: 10,
    // Each connection walks a part of its own, so that at any moment all of them ask for something else.
    setupClient: (client) => {
      const part = connection++;
      client.setRequests(requests.filter((_, n) => n % connections === part).map((request) => ({ ...request })));
      client.on('response', (status, _bytes, duration) => {
        milliseconds.push(duration);
        if (status !== expected.status) wrong ??= `status ${status}`;
      });
      client.on('mismatch', (body) => (wrongBody ??= String(body).slice(0, 300)));
    },
    verifyBody: (body) => body.split('&X-Amz-Signature=').length === expected.signatures + 1,
  });
  const { user, system } = process.cpuUsage(started);
  const failures = outcome.errors + outcome.timeouts + outcome.mismatches + outcome.non2xx;
  if (wrong !== null || failures > 0)
    throw new Error(`${failures} bad answers of ${milliseconds.length}: ${wrong ?? ''} ${wrongBody ?? ''}`);
  return {
    requests: milliseconds.length,
    seconds: outcome.duration,
    p50: quantile(milliseconds, 0.5),
    p99: quantile(milliseconds, 0.99),
    generatorSeconds: (user + system) / 1e6,
  };
}
