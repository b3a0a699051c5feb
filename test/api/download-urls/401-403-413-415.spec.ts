import { connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { callsBy } from '../calls.js';

const LIMIT = 24_576_000;
const good = { items: [{ bucket: 'files', key: 'a' }] };

describe('POST /download-urls', () => {
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
  });
  afterAll(() => installation.close());

  const calls = (scope?: string) => callsBy(installation.api, tenant.token('alice', scope));
  const padded = (bytes: number) => JSON.stringify(good).padEnd(bytes, ' ');

  it('answers 413 beyond 24,000 KiB, to the byte, while other calls keep their 64 KiB', async () => {
    await calls().postBytes('/download-urls', padded(LIMIT)).expect(200);
    const { body } = await calls()
      .postBytes('/download-urls', padded(LIMIT + 1))
      .expect(413);
    expect(body).toMatchObject({
      code: 'body-too-large',
      detail: `The request body is larger than the ${LIMIT} bytes that this call takes.`,
    });
    await calls().postBytes('/download-url', padded(65_537)).expect(413);
    await calls().postBytes('/permission-checks', padded(65_537)).expect(413);
  });

  it('answers 413 for keys that have more ancestors than can be looked up together', async () => {
    // Attack: a megabyte of keys of five hundred segments each has a quarter of a gigabyte of ancestors.
    const items = Array.from({ length: 300 }, (_, n) => ({ bucket: 'files', key: `${n}/${'a/'.repeat(500)}a` }));
    const { body } = await calls().post('/download-urls', { items }).expect(413);
    expect(body).toMatchObject({ code: 'body-too-large', detail: expect.stringContaining('too many segments') });
    await calls()
      .post('/download-urls', { items: items.slice(0, 10) })
      .expect(200);
  });

  it('answers 413 where no length was declared', async () => {
    const response = await send(`Transfer-Encoding: chunked\r\n`, tenant.token('alice'), (write) => {
      const piece = ' '.repeat(1024 * 1024);
      for (let n = 0; n < 25; n++) write(`${piece.length.toString(16)}\r\n${piece}\r\n`);
      write('0\r\n\r\n');
    });
    expect(response).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('answers 401 and 403 before it has read the body', async () => {
    // Attack: memory, for anybody who can reach the port. The body never comes, and is not waited for.
    const head = `Content-Length: ${LIMIT}\r\n`;
    await expect(send(head, 'no.good.token')).resolves.toMatch(/^HTTP\/1\.1 401 /);
    await expect(send(head, tenant.token('alice', 'write:objects'))).resolves.toMatch(/^HTTP\/1\.1 403 /);
    // Nor is one that is too large looked at before the token.
    await expect(send(`Content-Length: ${LIMIT + 1}\r\n`, 'no.good.token')).resolves.toMatch(/^HTTP\/1\.1 401 /);
  });

  it('answers 403 scope-missing without read:objects, and 401 without a token', async () => {
    const { body } = await calls('write:objects read:audit').post('/download-urls', good).expect(403);
    expect(body.code).toBe('scope-missing');
    await installation.api.post('/download-urls').send(good).expect(401);
  });

  it('answers 415 for what is no JSON', async () => {
    const { body } = await calls().postBytes('/download-urls', JSON.stringify(good)).set('content-type', 'text/plain');
    expect(body).toMatchObject({ status: 415, code: 'media-type-not-supported' });
  });

  it('answers 200 to a body that comes in pieces of a byte', async () => {
    const body = Buffer.from(JSON.stringify({ items: [{ bucket: 'files', key: 'ü/日本語' }] }));
    const response = await send('Transfer-Encoding: chunked\r\n', tenant.token('alice'), (write) => {
      for (const byte of body) write(Buffer.concat([Buffer.from('1\r\n'), Buffer.of(byte), Buffer.from('\r\n')]));
      write('0\r\n\r\n');
    });
    expect(response).toMatch(/^HTTP\/1\.1 200 /);
    expect(response).toContain('"key":"ü/日本語"');
  });

  it('goes on where a client breaks off in the middle of its body', async () => {
    const { port } = installation.app.getHttpServer().address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.write(`${headOf('Content-Length: 1000\r\n', tenant.token('alice'))}{"items":[`, () => socket.destroy());
    await once(socket, 'close');
    await calls().post('/download-urls', good).expect(200);
  });

  it('answers 503 overloaded where too many large bodies are under way, and serves again afterwards', async () => {
    // Attack: memory, with a token: many bodies that never end.
    const { port } = installation.app.getHttpServer().address() as AddressInfo;
    const piece = ' '.repeat(LIMIT - 1_000);
    const sockets = Array.from({ length: 4 }, () => connect(port, '127.0.0.1'));
    const token = tenant.token('alice');
    await Promise.all(
      sockets.map(async (socket) => {
        socket.write(headOf(`Content-Length: ${LIMIT}\r\n`, token));
        await new Promise((resolve) => socket.write(piece, resolve));
      }),
    );
    const large = () => calls().postBytes('/download-urls', padded(8_000_000));
    const refused = await until(large, ({ status }) => status !== 200);
    expect(refused.body).toMatchObject({ status: 503, code: 'overloaded' });
    expect(refused.headers['retry-after']).toMatch(/^[1-9]/);
    for (const socket of sockets) socket.destroy();
    expect((await until(large, ({ status }) => status === 200)).status).toBe(200);
  });

  const headOf = (headers: string, token: string) =>
    `POST /download-urls HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}Authorization: Bearer ${token}\r\n\r\n`;

  /** The head of the answer to a request whose body is written by `rest`, if it ever is. */
  async function send(
    headers: string,
    token: string,
    rest: (write: (piece: string | Buffer) => void) => void = () => undefined,
  ): Promise<string> {
    const { port } = installation.app.getHttpServer().address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(headOf(headers, token));
    rest((piece) => socket.write(piece));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return answer.toString();
  }
});

/** The first answer that is like this, or the last of fifty. */
async function until<Answer>(ask: () => PromiseLike<Answer>, isLike: (answer: Answer) => boolean): Promise<Answer> {
  let answer = await ask();
  for (let n = 1; n < 50 && !isLike(answer); n++) answer = await ask();
  return answer;
}
