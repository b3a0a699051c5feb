/**
 * Three things that the Swagger module and its compiler plugin leave untidy. Enums come in TypeScript's order of a union, which changes
 * with unrelated code: the document must not. And a reference with a description comes as an `allOf` of one, which OpenAPI 3.1 no
 * longer needs. And a class that stands for one of several comes as an object without properties as well.
 */
export function tidySchemas(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (name === 'enum' && Array.isArray(inner)) inner.sort(byText);
    else tidySchemas(inner);
  }
  if ('oneOf' in value && 'properties' in value && Object.keys(value.properties ?? {}).length === 0) {
    delete value.properties;
    if ('type' in value) delete value.type;
  }
  if (!('allOf' in value) || !Array.isArray(value.allOf) || value.allOf.length !== 1) return;
  const only: unknown = value.allOf[0];
  delete value.allOf;
  Object.assign(value, only);
}

/** Null stays last. */
const byText = (a: unknown, b: unknown): number =>
  Number(a === null) - Number(b === null) || (String(a) < String(b) ? -1 : 1);
