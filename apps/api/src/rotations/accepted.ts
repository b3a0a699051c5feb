import type { FastifyReply } from 'fastify';
import type { DryRunResponse, RotationResponse } from './rotations.dto.js';

/** What was begun, with the address to follow it by (RFC 9110 §15.3.3); a dry run has begun nothing. */
export async function accepted<Started extends RotationResponse | DryRunResponse>(
  reply: FastifyReply,
  starting: Promise<Started>,
): Promise<Started> {
  const started = await starting;
  if ('id' in started) void reply.header('location', `/rotations/${started.id}`);
  else void reply.status(200);
  return started;
}
