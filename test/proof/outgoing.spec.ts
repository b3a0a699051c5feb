import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { insecurityOf, NoAnswer, Outgoing } from '@countersign/outgoing';
import { lookupPublic } from '../../libs/outgoing/src/public-address.js';
import { OUTGOING } from '../support/outgoing.js';
import { proof } from './record.js';

const contained = proof(
  'No request of ours reaches a private address, follows a redirect, or takes more than it asked for',
  'endpoints inside every private range (RFC 6890), in every spelling that a URL knows, by private names and by names that lead to private addresses; redirects, endless, silent and packed answers',
  'isPublic() made true for every address; the limit taken out of readWhole',
);

const within = (milliseconds = 2_000) => AbortSignal.timeout(milliseconds);

describe('A request to a place that somebody named', () => {
  let server: http.Server;
  let url: string;
  const seen: { method: string; headers: http.IncomingHttpHeaders; body: string }[] = [];

  beforeAll(async () => {
    server = http.createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
      request.on('end', () => {
        seen.push({ method: request.method ?? '', headers: request.headers, body });
        if (request.url === '/elsewhere') response.writeHead(302, { location: '/' }).end();
        else if (request.url === '/endless') {
          response.on('close', () => clearInterval(drip));
          const drip = setInterval(() => response.write('x'.repeat(1_000)), 1);
        } else if (request.url === '/silent') return;
        else if (request.url === '/packed') response.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip');
        else
          response
            .writeHead(
              200,
              [
                ['set-cookie', 'a'],
                ['set-cookie', 'b'],
              ].flat(),
            )
            .end('whole');
      });
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it('gives the whole answer, with every header', async () => {
    const { status, headers, body } = await OUTGOING.ask(url, {}, within(), 5);
    expect([status, body.toString(), headers.getSetCookie()]).toEqual([200, 'whole', ['a', 'b']]);
  });

  it('follows no redirect, and unpacks nothing', async () => {
    // Attack: an endpoint that sends us on to the metadata of the machine that we run on; or a bomb that unpacks to gigabytes.
    const { status, headers } = await OUTGOING.ask(`${url}/elsewhere`, {}, within(), 100);
    expect([status, headers.get('location')]).toEqual([302, '/']);
    expect((await OUTGOING.ask(`${url}/packed`, {}, within(), 100)).body.toString()).toBe('not gzip');
    expect(seen.at(-1)?.headers['accept-encoding']).toBe('identity');
  });

  it('sends bodies with their length, and forms with their boundary', async () => {
    await OUTGOING.ask(
      url,
      { method: 'PUT', headers: { 'content-length': '1', 'x-a': 'b' }, body: 'grüße' },
      within(),
      100,
    );
    expect(seen.at(-1)).toMatchObject({ method: 'PUT', headers: { 'content-length': '7', 'x-a': 'b' } });
    const form = new FormData();
    form.append('key', 'a/b');
    form.append('file', new Blob(['bytes']));
    await OUTGOING.ask(url, { method: 'POST', body: form }, within(), 100);
    const { headers, body } = seen.at(-1)!;
    const boundary = /^multipart\/form-data; boundary=(.+)$/.exec(headers['content-type'] ?? '')?.[1];
    expect(body.split(`--${boundary}`)).toHaveLength(4);
    expect(body).toContain('bytes');
  });

  it('ends where the answer is too long, too late or none, and says which', async () => {
    const why = async (path: string, milliseconds: number) => {
      const error = await OUTGOING.ask(path, {}, within(milliseconds), 10_000).catch((fault: unknown) => fault);
      return error instanceof NoAnswer ? error.message : error;
    };
    expect(await why(`${url}/endless`, 10_000)).toBe('it sent more than 10000 bytes');
    expect(await why(`${url}/silent`, 50)).toBe('not in time');
    expect(await why('http://127.0.0.1:1', 10_000)).toBe('ECONNREFUSED');
  });

  it('says nothing of what was asked, which may hold a signature', async () => {
    const error = await OUTGOING.ask('http://127.0.0.1:1/?X-Amz-Signature=abc', {}, within(), 1).catch(
      (fault) => fault,
    );
    expect(`${(error as Error).message}${(error as Error).stack}${JSON.stringify(error)}`).not.toContain('abc');
  });

  it('asks again where a kept connection was closed meanwhile', async () => {
    for (let n = 0; n < 5; n++) {
      expect((await OUTGOING.ask(url, {}, within(), 100)).status).toBe(200);
      server.closeIdleConnections();
    }
  });

  it('goes to no private place by plain HTTP or by its address, where the installation takes public ones only', async () => {
    // Attack: a bucket whose endpoint is inside the network that Countersign runs in.
    const strict = new Outgoing({ allowInsecureEndpoints: false });
    const before = seen.length;
    const { port } = new URL(url);
    for (const [place, why] of [
      [url, 'must be https:'],
      [`https://127.0.0.1:${port}`, 'must not be a private address'],
      [`https://localhost:${port}`, 'must not be a private name'],
    ])
      await expect(strict.ask(place!, {}, within(), 100)).rejects.toThrow(`its endpoint ${why}`);
    expect(seen).toHaveLength(before);
  });
});

const PRIVATE = [
  '127.0.0.1 127.255.0.1 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 255.255.255.255 224.0.0.1',
  '192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 240.0.0.1 192.0.0.1',
  '[::1] [::] [fe80::1] [fc00::1] [fd12:3456::1] [ff02::1] [::ffff:127.0.0.1] [::ffff:10.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] [2001:db8::1]',
  // As WHATWG's URL reads them: each is 127.0.0.1.
  '2130706433 0x7f000001 0177.0.0.1 127.1 127.0.0.1.',
]
  .join(' ')
  .split(' ');
const PUBLIC = ['s3.amazonaws.com', '8.8.8.8', '[2606:4700::1111]', 'localhost.example.com'];
const NAMES = 'localhost a.localhost printer db.internal router.local nas.home.arpa metadata.google.internal'.split(
  ' ',
);

it('no address or name of a private network is taken for a public place, however it is written', () => {
  for (const host of [...PRIVATE, ...NAMES])
    expect([host, insecurityOf(`https://${host}/`)]).toEqual([host, expect.stringMatching(/^must not be a private /)]);
  for (const host of PUBLIC) expect([host, insecurityOf(`https://${host}/`)]).toEqual([host, null]);
});

it('a name that leads to a private address is not connected to, whatever it is called', async () => {
  // Attack: a public name in the attacker's own zone, whose address is ours. This machine's own name stands for it.
  for (const all of [true, false]) {
    const error = await new Promise((resolve) => lookupPublic('localhost', { all }, resolve));
    expect(String(error)).toContain('its name leads to a private address');
  }
  const cases = PRIVATE.length + NAMES.length + 2;
  contained.record({ cases, figure: `0 of ${cases} private places reached` });
});
