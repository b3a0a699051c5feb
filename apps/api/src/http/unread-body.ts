import type { IncomingMessage } from 'node:http';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ProblemError } from '@countersign/errors';
import { parseJson } from './json.js';
import { bodyTooLarge, readBytes } from './read-bytes.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Of a route with a limit of its own. */
    bodyLimitBytes?: number;
  }
}

/** The route takes bodies of up to so many bytes. It gets an UnreadBody, so that nobody without a token can fill the memory with them. */
export const TakesLargeBody = (bodyLimitBytes: number) => RouteConfig({ bodyLimitBytes });

/** All the large bodies that are being read, together: four of the largest, or some thousands of common ones. */
const ROOM_BYTES = 100 * 1024 * 1024;

/** Up to this length even the worst JSON takes little memory, and nobody need count what is in it. */
const HARMLESS_BYTES = 1024 * 1024;

/** A thousand full items have a fifth of this. */
const MAX_VALUES = 50_000;

/** How much of the room is taken, in one installation. */
export class LargeBodyRoom {
  bytes = 0;
}

/** A body that is still on the wire. Who reads it has let the caller in. */
export class UnreadBody {
  constructor(
    private readonly payload: IncomingMessage,
    private readonly limitBytes: number,
    private readonly room: LargeBodyRoom,
  ) {}

  /** The JSON in it, of any structure: names and depth are for the reader to check. @throws ProblemError */
  async read(): Promise<unknown> {
    if (Number(this.payload.headers['content-length']) > this.limitBytes) throw bodyTooLarge(this.limitBytes);
    let taken = 0;
    const faultOf = (length: number) => {
      this.room.bytes += length - taken;
      taken = length;
      if (length > this.limitBytes) return bodyTooLarge(this.limitBytes);
      return this.room.bytes > ROOM_BYTES ? noRoom() : null;
    };
    try {
      const bytes = await new Promise<Buffer>((resolve, reject) => {
        readBytes(this.payload, faultOf, (read) => (read instanceof ProblemError ? reject(read) : resolve(read)));
      });
      if (bytes.length > HARMLESS_BYTES && hasTooManyValues(bytes)) throw tooManyValues();
      return parseJson(bytes);
    } finally {
      this.room.bytes -= taken;
    }
  }
}

const noRoom = () =>
  new ProblemError('overloaded', 'Too many large requests are under way. Try again shortly.', { retryAfterSeconds: 2 });

const tooManyValues = () => new ProblemError('invalid-request', `The body holds more than ${MAX_VALUES} values.`);

/** Attack: `[[],[],…`: three bytes each, of which JSON.parse makes an object of ten times that. */
function hasTooManyValues(bytes: Buffer): boolean {
  let values = 0;
  let isInString = false;
  for (let at = 0; at < bytes.length && values <= MAX_VALUES; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) isInString = !isInString;
    else if (isInString) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === COMMA || byte === BRACKET || byte === BRACE) values++;
  }
  return values > MAX_VALUES;
}

const [QUOTE, BACKSLASH, COMMA, BRACKET, BRACE] = [0x22, 0x5c, 0x2c, 0x5b, 0x7b];
