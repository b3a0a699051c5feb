import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { Problem } from '../http/problem.dto.js';
import { HEADERS } from './headers.js';
import { completeOperations } from './operations.js';
import { problemExamples } from './problem-examples.js';
import { requirementsOf } from './requirements.js';
import { tidySchemas } from './tidy-schemas.js';

const DESCRIPTION = `Issues presigned URLs: checked against grants in PostgreSQL, bounded by a use case, pinned to type and size, and on
record before they are handed out.

Every call but those of health takes \`Authorization: Bearer <JWT>\`. Bodies are JSON; a field or a query parameter that is not known is
refused. Times are RFC 3339 in UTC. Errors are \`application/problem+json\` (RFC 9457): rely on \`code\`. Lists are read page by page:
\`cursor\` is the \`nextCursor\` of the page before, which is null on the last one.`;

const TAGS = {
  URLs: 'Presigned URLs, and what the caller may have one for.',
  Uppy: 'For pages with Uppy 5 or 6, whose AwsS3 plugin asks these calls as it is: docs/uppy.md.',
  Grants: 'Who may read or write what.',
  'Use cases': 'The limits within which a URL is issued for a purpose.',
  Buckets: "The tenant's storage locations.",
  'Signing keys': 'What signs the URLs of a bucket, what is out under it, and how it is changed or taken away.',
  Audit: 'What was decided, and by whom.',
  Platform: 'Tenants, and whose tokens are believed for them. For the operator of the installation.',
  Health: 'For whoever runs the installation. Public.',
};

/** The OpenAPI 3.1 document, from the code; openapi.json in the repository is this, and CI fails when it is not. */
export function describe(app: INestApplication): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Countersign')
    .setDescription(DESCRIPTION)
    .setVersion('0.1.0')
    .setLicense('Apache-2.0', 'https://www.apache.org/licenses/LICENSE-2.0')
    .addServer('/', 'The installation that answers with this document.')
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
      description:
        "The user's JWT, of an issuer that is trusted for a tenant. What an operation requires is a scope of it.",
    });
  for (const [name, description] of Object.entries(TAGS)) builder.addTag(name, description);

  // A controller's method is named as the client's method will be.
  const document = SwaggerModule.createDocument(app, builder.build(), {
    operationIdFactory: (_controller, method) => method,
    extraModels: [Problem],
  });
  completeOperations(document, requirementsOf(app));
  tidySchemas(document.components?.schemas);
  Object.assign(document.components ?? {}, { headers: HEADERS, examples: problemExamples() });
  return document;
}
