import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation, type Tenant } from '../../support/installation.js';

interface Operation {
  operationId: string;
  requestBody?: { content: { 'application/json': { schema: { $ref: string } } } };
}

const document = JSON.parse(readFileSync('openapi.json', 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { examples?: object[] }> };
};

const requests = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, { operationId, requestBody }]) => {
    const name = requestBody?.content['application/json'].schema.$ref.split('/').at(-1);
    if (name === undefined) return [];
    return [{ operationId, path, method, examples: document.components.schemas[name]?.examples ?? [] }];
  }),
);

describe("openapi.json's example of a request", () => {
  let installation: Installation;
  let tenant: Tenant;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
  });
  afterAll(() => installation.close());

  it.each(requests)('is one that the API understands: $operationId', async ({ path, method, examples }) => {
    expect(examples).toHaveLength(1);
    const token = /tenants|issuers/.test(path) ? installation.operator : tenant.admin;
    const address = path.replaceAll(/\{\w+\}/g, 'nothing-here');
    const call = installation.api[method as 'post'](address).auth(token, { type: 'bearer' });
    const { status, body } = await call.send(examples[0]);
    // What it names may not be there, or be there already; what is malformed would be a 400.
    expect([200, 201, 202, 403, 404, 409]).toContain(status === 422 ? unknownOnly(body) : status);
  });
});

/** The status, where a 422 is only about something that is not there. */
function unknownOnly({ code }: { code: string }): number {
  return code === 'unknown-reference' ? 404 : 422;
}
