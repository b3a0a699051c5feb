import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { callsBy, pointersOf } from '../api/calls.js';
import { connections } from '../database/connections.js';
import { install, type Installation, type Tenant } from '../support/installation.js';
import { exampleOf, type Operation, operations, resolve, type Schema } from './document.js';
import { platformToken } from './platform-token.js';
import { proof } from './record.js';
import { scale } from './scale.js';

const OTHER_TENANT = randomUUID();

const stored = proof(
  'A request sets what its operation names, and nothing else that is stored',
  'every column of every table, in snake_case and camelCase, in every object of every body and in every query that there is',
  'forbidNonWhitelisted switched off, and the compiled DTOs’ own check of unknown fields',
);

/** Attack: mass assignment. A field that no DTO names, and that a column is called by, goes into the row with the others. */
describe('A field that is a column of ours, and none of the request’s, answers 400', () => {
  const { run } = connections();
  let installation: Installation;
  let tenant: Tenant;
  let names: string[];
  let cases = 0;

  beforeAll(async () => {
    installation = await install();
    tenant = await installation.createTenant();
    await tenant.grant({ subject: { type: 'everyone' }, prefix: '' });
    const columns = await run<{ name: string }>(
      'owner',
      `SELECT DISTINCT column_name::text AS name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1`,
    );
    names = [...new Set(columns.flatMap(({ name }) => [name, camelCase(name)]))];
    expect(names).toEqual(expect.arrayContaining(['tenant_id', 'tenantId', 'sealedCredential', 'state', 'platform']));
  });
  afterAll(() => installation.close());

  const tokenFor = ({ scope }: Operation) =>
    scope === 'admin:platform' ? platformToken('operator', scope) : tenant.token('alice', scope ?? '');
  const addressOf = ({ path }: Operation) => path.replace('{partNumber}', '1').replace(/\{\w+\}/, randomUUID());

  /** Some at a time, of which an answer names every one; in full also each by itself. */
  const portions = (fields: string[]) => {
    const some = Array.from({ length: Math.ceil(fields.length / 50) }, (_, n) => fields.slice(n * 50, n * 50 + 50));
    return scale({ short: some, full: [...some, ...fields.map((field) => [field])] });
  };

  it.each(operations.filter(({ body }) => body !== null))('in any object of the body of $id', async (operation) => {
    const calls = callsBy(installation.api, tokenFor(operation));
    for (const pointer of objectsIn(exampleOf(operation))) {
      const schema = schemaAt(operation, pointer);
      // The page's own words about a file, which Uppy sends along: other names in it are not looked at.
      if (schema.additionalProperties === true) continue;
      const own = Object.keys(schema.properties ?? {});
      for (const fields of portions(names.filter((name) => !own.includes(name)))) {
        const body = exampleOf(operation);
        Object.assign(at(body, pointer), Object.fromEntries(fields.map((field) => [field, OTHER_TENANT])));
        const response = await calls[operation.method as 'post'](addressOf(operation), body);
        cases += fields.length;

        const [item] = (response.body as { items?: { body: { status: number } }[] }).items ?? [];
        const problem = item && pointer.startsWith('/items/0') ? { body: item.body } : response;
        const prefix = item ? pointer.replace('/items/0', '') : pointer;
        const missing = fields.filter((field) => !pointersOf(problem).includes(`${prefix}/${field}`));
        expect({ pointer, status: (problem.body as { status: number }).status, missing }).toEqual({
          pointer,
          status: 400,
          missing: [],
        });
      }
    }
  });

  const withQuery = operations.filter(({ parameters }) => parameters.some((parameter) => parameter.in === 'query'));
  it.each(withQuery)('in the query of $id', async (operation) => {
    const own = operation.parameters.map(({ name }) => name);
    for (const fields of portions(names.filter((name) => !own.includes(name)))) {
      const query = Object.fromEntries(fields.map((field) => [field, OTHER_TENANT]));
      const response = await installation.api[operation.method](addressOf(operation))
        .query(query)
        .auth(tokenFor(operation), { type: 'bearer' })
        .send(operation.body ? exampleOf(operation) : undefined);
      cases += fields.length;
      const missing = fields.filter((field) => !pointersOf(response).includes(`/${field}`));
      expect({ status: response.status, missing }).toEqual({ status: 400, missing: [] });
    }
  });

  it('and none was taken', () => {
    expect(cases).toBeGreaterThan(2_000);
    stored.record({ cases, figure: `0 of ${names.length} names taken` });
  });
});

const camelCase = (name: string): string => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The pointers of all objects of a body; of a list the first alone. */
function objectsIn(value: unknown, pointer = ''): string[] {
  if (Array.isArray(value)) return objectsIn(value[0], `${pointer}/0`);
  if (typeof value !== 'object' || value === null) return [];
  return [pointer, ...Object.entries(value).flatMap(([name, inner]) => objectsIn(inner, `${pointer}/${name}`))];
}

const at = (body: object, pointer: string): object =>
  pointer
    .split('/')
    .slice(1)
    .reduce((value, name) => (value as Record<string, object>)[name] ?? {}, body);

/** What the document says of it. */
function schemaAt({ body }: Operation, pointer: string): Schema {
  return pointer
    .split('/')
    .slice(1)
    .reduce(
      (outer, name) => resolve((/^\d+$/.test(name) ? outer.items : outer.properties?.[name]) ?? {}),
      resolve(body ?? {}),
    );
}
