import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Counter, Histogram, type Registry } from 'prom-client';
import { onRequestOver } from '../http/request-over.js';

/** The issuing calls, by their routes. */
const ACTIONS: Readonly<Record<string, string>> = { '/download-url': 'download-url', '/upload-url': 'upload-url' };

/** A caller chooses the method, but must not choose how many time series there are. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Measures every request once, when its answer is out or its client gone; one for a URL is issued, or refused for a reason. */
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
    help: "Requests for a presigned URL that got none; the reason is the problem's code (docs/errors.md)",
    labelNames: ['action', 'reason'],
    registers,
  });
  for (const action of Object.values(ACTIONS)) issued.inc({ action }, 0);

  onRequestOver(fastify, (request, { statusCode, elapsedTime }, isAnswered) => {
    const labels = labelsOf(request);
    if (!isAnswered) return aborted.inc(labels);
    duration.observe({ ...labels, status_class: `${Math.floor(statusCode / 100)}xx` }, elapsedTime / 1000);
    const action = ACTIONS[labels.route];
    const reason = request.problemCode;
    if (action !== undefined && reason !== undefined) refused.inc({ action, reason });
    else if (action !== undefined && statusCode === 201) issued.inc({ action });
  });
}

function labelsOf({ method, routeOptions }: FastifyRequest) {
  return { method: METHODS.has(method) ? method : 'other', route: routeOptions.url ?? 'unmatched' };
}
