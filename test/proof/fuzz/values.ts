import fc from 'fast-check';
import { resolve, type Schema } from '../document.js';

/** By a field's name: what the API knows, where anything else would only ever be refused. */
export type Known = Readonly<Record<string, readonly unknown[]>>;

/** Anything that is valid by this schema. Optional fields come and go. */
export function valueOf(schema: Schema, known: Known, name = ''): fc.Arbitrary<unknown> {
  const { $ref: _ref, ...rest } = schema;
  const { type, ...resolved } = { ...resolve(schema), ...rest };
  const types = Array.isArray(type) ? type : [type ?? (resolved.properties ? 'object' : 'string')];
  if (types.includes('null'))
    return fc.option(valueOf({ ...resolved, type: types.filter((each) => each !== 'null') }, known, name));
  if (known[name]) return fc.constantFrom(...known[name]);
  const either = resolved.oneOf ?? resolved.anyOf;
  if (either) return fc.oneof(...either.map((each) => valueOf(each, known, name)));
  if (resolved.enum) return fc.constantFrom(...resolved.enum);
  switch (types[0] ?? 'string') {
    case 'object': {
      const fields = Object.entries(resolved.properties ?? {});
      const required = new Set(resolved.required);
      const always = fields.filter(([field]) => required.has(field));
      const model = Object.fromEntries(fields.map(([field, inner]) => [field, valueOf(inner, known, field)]));
      return fc.record(model, { requiredKeys: always.map(([field]) => field) });
    }
    case 'array':
      return fc.uniqueArray(valueOf(resolved.items ?? {}, known, name), {
        minLength: resolved.minItems ?? 0,
        maxLength: Math.min(resolved.maxItems ?? 4, 4),
        comparator: 'SameValue',
      });
    case 'integer':
      return fc.integer({ min: resolved.minimum ?? 0, max: Math.min(resolved.maximum ?? 2 ** 31, 2 ** 31) });
    case 'boolean':
      return fc.boolean();
    default:
      return textOf(resolved);
  }
}

function textOf({ format, pattern, maxLength = 30 }: Schema): fc.Arbitrary<string> {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  switch (format ?? '') {
    case 'uuid':
      return fc.uuid();
    case 'date-time':
      return fc
        .date({ min: new Date('2000-01-01'), max: new Date('2099-01-01'), noInvalidDate: true })
        .map((date) => date.toISOString());
    case 'uri':
      return fc.constantFrom('https://s3.example.com', 'http://127.0.0.1:9/', 'https://192.0.2.1/a');
    default:
      return fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}[a-z0-9]$/).map((text) => text.slice(0, maxLength));
  }
}
