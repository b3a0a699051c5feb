import type { IncomingMessage } from 'node:http';
import { ProblemError } from '@countersign/errors';

/**
 * Reads all of a body. `faultOf` hears how many bytes there are after each piece, and can end it with a problem: what is still to come is
 * then read past, so that the client hears the answer.
 */
export function readBytes(
  payload: IncomingMessage,
  faultOf: (length: number) => ProblemError | null,
  done: (outcome: Buffer | ProblemError) => void,
): void {
  let bytes: Buffer = Buffer.alloc(0);
  let length = 0;
  let isOver = false;
  const end = (outcome: Buffer | ProblemError) => {
    isOver = true;
    done(outcome);
  };
  const take = (piece: Buffer) => {
    if (isOver) return;
    // Most bodies come in one piece, but nobody must be able to make us keep millions of them, of a byte each.
    bytes = length === 0 ? piece : append(bytes, length, piece);
    length += piece.length;
    const problem = faultOf(length);
    if (problem) end(problem);
  };
  const complete = () => isOver || end(bytes.subarray(0, length));
  // Of every body, also of one that ended well.
  const close = () => isOver || end(brokenOff());

  // Its client may have gone away before anybody asked for the body.
  if (payload.destroyed) close();
  else payload.on('data', take).on('end', complete).on('close', close);
}

/** The first `length` bytes with a piece behind them, in the same buffer if there is room; if not, in one of twice the size. */
function append(bytes: Buffer, length: number, piece: Buffer): Buffer {
  const needed = length + piece.length;
  const room =
    needed <= bytes.length ? bytes : Buffer.concat([bytes.subarray(0, length)], Math.max(needed, 2 * length));
  piece.copy(room, length);
  return room;
}

const brokenOff = (): ProblemError =>
  new ProblemError('invalid-request', 'The request broke off before its body ended.');

export const bodyTooLarge = (limitBytes: number): ProblemError =>
  new ProblemError('body-too-large', `The request body is larger than the ${limitBytes} bytes that this call takes.`);
