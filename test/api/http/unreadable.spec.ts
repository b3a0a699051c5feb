import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation } from '../../support/installation.js';

describe('What cannot be read as HTTP', () => {
  let installation: Installation;
  beforeAll(async () => {
    installation = await install();
  });
  afterAll(() => installation.close());

  async function send(text: string): Promise<string> {
    const { port } = installation.app.getHttpServer().address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (piece: Buffer) => (answer += piece.toString()));
    socket.write(text);
    await once(socket, 'close');
    return answer;
  }

  it.each([
    ['headers of 20 KB', `GET /grants HTTP/1.1\r\nHost: a\r\nX-Any: ${'a'.repeat(20_000)}\r\n\r\n`, 'larger than'],
    ['an address of 20 KB', `GET /grants?limit=${'1'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 'larger than'],
    ['two lengths', 'POST /grants HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 'as HTTP'],
    ['no HTTP', 'hello\r\n\r\n', 'as HTTP'],
  ])('is answered by a problem like every other: %s', async (_, text, detail) => {
    const [head = '', body = ''] = (await send(text)).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\ncontent-type: application\/problem\+json; charset=utf-8\r\n/);
    expect(head).toContain('cache-control: no-store');
    const requestId = /x-request-id: (\S+)/.exec(head)?.[1];
    expect(JSON.parse(body)).toMatchObject({ code: 'invalid-request', status: 400, requestId });
    expect(body).toContain(detail);
  });
});
