import { readFileSync } from 'node:fs';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { keepAnswers } from './keep-answer.js';
import { describe } from './openapi.js';

/** The public documents: `/openapi.json`, a page to read it at `/docs`, and `/docs/errors`, where every problem's `type` leads. */
export function serveDocuments(app: NestFastifyApplication): void {
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance();
  const errors = readFileSync('docs/errors.md');
  fastify.get('/docs/errors', (_request, reply) => reply.type('text/plain; charset=utf-8').send(errors));
  keepAnswers(fastify, (url) => /^\/(?:docs(?:\/(?!\*)|$)|openapi\.)/.test(url));
  SwaggerModule.setup('docs', app, () => describe(app), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
    customSiteTitle: 'Countersign API',
    swaggerOptions: { defaultModelsExpandDepth: 0, tryItOutEnabled: true },
  });
}
