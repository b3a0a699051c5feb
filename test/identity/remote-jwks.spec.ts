import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { JsonWebKeySet } from '../../libs/identity/src/jwks.js';
import { RemoteJwks } from '../../libs/identity/src/remote-jwks.js';
import { type JwksServer, startJwksServer } from '../support/jwks-server.js';
import { OUTGOING } from '../support/outgoing.js';

const MINUTE = 60_000;

const newJwk = (kid: string) => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
  kid,
  use: 'sig',
  alg: 'ES256',
});

const has = (kid: string) => (keys: JsonWebKeySet) => keys.keys.some((key) => key.kid === kid);

describe('the keys of an issuer that publishes them', () => {
  let server: JwksServer;
  let now: number;
  let jwks: RemoteJwks;
  const get = (kid: string) => jwks.get(server.uri, has(kid));

  beforeEach(async () => {
    server = await startJwksServer([newJwk('one')]);
    now = 1_800_000_000_000;
    jwks = new RemoteJwks(OUTGOING, () => now);
  });
  afterEach(() => server.stop().catch(() => undefined));

  it('are fetched once for all who wait', async () => {
    const all = await Promise.all(Array.from({ length: 1_000 }, () => get('one')));
    expect(all.every(has('one'))).toBe(true);
    expect(server.requests).toBe(1);
  });

  it('are fetched at most once in 30 seconds, whatever unknown kids are sent', async () => {
    // An attacker sends tokens with made-up kids to have us flood the provider, or wait for it.
    await get('one');
    now += 31_000;
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => get(`made-up-${n}`)));
    expect(server.requests).toBe(2);
    await get('made-up-again');
    expect(server.requests).toBe(2);
    now += 31_000;
    await get('made-up-again');
    expect(server.requests).toBe(3);
  });

  it('are at hand at once while a fetch for an unknown kid is under way', async () => {
    await get('one');
    now += 31_000;
    const answers: (() => void)[] = [];
    const { answer } = server;
    server.answer = (request, response) => answers.push(() => answer(request, response));
    const unknown = get('made-up');
    expect(has('one')(await get('one'))).toBe(true);
    while (answers.length === 0) await new Promise(setImmediate);
    answers.forEach((release) => release());
    expect(has('made-up')(await unknown)).toBe(false);
  });

  it('are those of a key that has just been added, once it is asked for', async () => {
    await get('one');
    server.keys.push(newJwk('two'));
    now += 31_000;
    expect(has('two')(await get('two'))).toBe(true);
  });

  it('are refreshed behind the requests that use them, long before anyone would wait', async () => {
    await get('one');
    server.keys = [newJwk('one'), newJwk('two')];
    now += 6 * MINUTE;
    expect(has('two')(await get('one'))).toBe(false);
    while (!has('two')(await get('one'))) await new Promise(setImmediate);
    expect(server.requests).toBe(2);
  });

  it('are kept while the endpoint is down, but no longer than a day', async () => {
    await get('one');
    await server.stop();
    now += 23 * 60 * MINUTE;
    expect(has('one')(await get('one'))).toBe(true);
    now += 2 * 60 * MINUTE;
    await expect(get('one')).rejects.toThrow('gives no keys');
  });

  it('come again by themselves after an endpoint was down from the start', async () => {
    await server.stop();
    await expect(get('one')).rejects.toThrow('gives no keys');
    await server.start();
    await expect(get('one')).rejects.toThrow('gives no keys');
    now += 31_000;
    expect(has('one')(await get('one'))).toBe(true);
  });

  it('never come by a redirect', async () => {
    // A provider whose open redirect is abused, or a hijacked name, sends us to an address inside the network.
    const elsewhere = await startJwksServer([newJwk('one')]);
    server.answer = (_request, response) => response.writeHead(302, { location: elsewhere.uri }).end();
    await expect(get('one')).rejects.toThrow('gives no keys');
    expect(elsewhere.requests).toBe(0);
    await elsewhere.stop();
  });

  it('are refused above 64 KB, as they come, however much more would follow', async () => {
    // An endpoint that never stops sending would fill the memory.
    server.answer = (_request, response) => {
      const send = (): void => {
        if (!response.destroyed) response.write(randomBytes(16_384).toString('hex'), () => setImmediate(send));
      };
      send();
    };
    await expect(get('one')).rejects.toThrow('gives no keys');
  });

  it('are given up after three seconds', async () => {
    // An endpoint that answers the head and then nothing would hold every request of its tenants.
    server.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"keys":[');
    };
    await expect(get('one')).rejects.toThrow('gives no keys');
  });

  it('are the public signing keys among them: symmetric, private and short ones are left out', async () => {
    // With a symmetric key in the set, whoever can read the public endpoint could sign.
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
    const whole = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
    server.keys = [
      { kty: 'oct', k: randomBytes(32).toString('base64url'), kid: 'oct' },
      { ...short, kid: 'short' },
      { ...whole, kid: 'private' },
      newJwk('one'),
    ];
    expect((await get('one')).keys.map((key) => key.kid)).toEqual(['one']);
  });
});
