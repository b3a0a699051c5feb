import { connect, type Socket } from 'node:net';

/** An answer as it came, byte for byte. */
export interface RawAnswer {
  status: number;
  head: string;
  body: string;
}

/** All that is answered to these bytes, until the server ends the connection; a request that is good says `Connection: close`. */
export async function answersTo(port: number, ...pieces: (string | Buffer)[]): Promise<RawAnswer[]> {
  const socket = connect(port, '127.0.0.1');
  // Where the server has ended it, what is still being sent is refused.
  socket.on('error', () => undefined);
  const answer: Buffer[] = [];
  socket.on('data', (piece: Buffer) => answer.push(piece));
  const closed = closing(socket);
  for (const piece of pieces) socket.write(piece);
  await closed;
  return split(Buffer.concat(answer).toString());
}

/** When this socket is closed, by whichever side. */
export const closing = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()));

function split(text: string): RawAnswer[] {
  return text
    .split(/(?=HTTP\/1\.1 \d{3} )/)
    .filter((each) => each !== '')
    .map((each) => {
      const [head = '', ...body] = each.split('\r\n\r\n');
      return { status: Number(head.slice(9, 12)), head, body: body.join('\r\n\r\n') };
    });
}
