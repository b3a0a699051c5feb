import type { ProblemCode } from '@countersign/errors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Counter, Histogram, type Registry } from 'prom-client';
import { onRequestOver } from '../http/request-over.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of a batch that was answered: of each item the problem's code, or null for one that got its URL. */
    itemCodes?: (ProblemCode | null)[];
  }
}

/** The issuing calls, by their routes: what the ledger calls what they do. */
const ACTIONS: Readonly<Record<string, string>> = {
  '/download-url': 'download-url',
  '/upload-url': 'upload-url',
  '/download-urls': 'download-url',
  '/upload-urls': 'upload-url',
};

const STATUS_CLASSES = ['other', '1xx', '2xx', '3xx', '4xx', '5xx'];

/** A caller chooses the method, but must not choose how many time series there are. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Measures every request once, when its answer is out or its client gone; one for a URL, and each item of a batch, is issued or refused. */
export function measureRequests(fastify: FastifyInstance, registry: Registry): void {
  const registers = [registry];
  const duration = new Histogram({
    name: 'countersign_http_request_duration_seconds',
    help: "How long requests took, by the route's pattern",
    labelNames: ['method', 'route', 'status_class'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const aborted = new Counter({
    name: 'countersign_http_requests_aborted_total',
    help: 'Requests whose client went away before the answer',
    labelNames: ['method', 'route'],
    registers,
  });
  const issued = new Counter({
    name: 'countersign_urls_issued_total',
    help: 'Presigned URLs that were issued, and sent',
    labelNames: ['action'],
    registers,
  });
  const refused = new Counter({
    name: 'countersign_urls_refused_total',
    help: "Requests for a presigned URL, and items of batches, that got none; the reason is the problem's code (docs/errors.md)",
    labelNames: ['action', 'reason'],
    registers,
  });
  for (const action of Object.values(ACTIONS)) issued.inc({ action }, 0);

  fastify.decorateRequest('itemCodes');
  onRequestOver(fastify, ({ request, reply: { statusCode, elapsedTime }, route: pattern, isAnswered }) => {
    const method = METHODS.has(request.method) ? request.method : 'other';
    const route = pattern ?? 'unmatched';
    if (!isAnswered) return aborted.inc({ method, route });
    const status_class = STATUS_CLASSES[Math.floor(statusCode / 100)] ?? 'other';
    duration.observe({ method, route, status_class }, elapsedTime / 1000);
    const action = ACTIONS[route];
    if (action === undefined) return;
    const { itemCodes, problemCode } = request;
    if (!itemCodes && problemCode === undefined && statusCode === 201) return issued.inc({ action });
    for (const [reason, count] of counted(itemCodes ?? (problemCode === undefined ? [] : [problemCode]))) {
      if (reason === null) issued.inc({ action }, count);
      else refused.inc({ action, reason }, count);
    }
  });
}

/** A batch's answer says what became of each item, before it is text. */
export function noteItems(request: FastifyRequest, { items }: { items: { body: object }[] }): void {
  request.itemCodes = items.map(({ body }) => (body as { code?: ProblemCode }).code ?? null);
}

/** How many URLs were issued (null), and how many were refused for which reason. */
function counted(codes: readonly (ProblemCode | null)[]): Map<ProblemCode | null, number> {
  const counts = new Map<ProblemCode | null, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  return counts;
}
