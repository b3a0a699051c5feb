/** The claims of a token: verified, but of any shape. */
export type Claims = Readonly<Record<string, unknown>>;

/**
 * The value of a claim: of a top-level one by its name (`cognito:groups`, `https://example.com/groups`), of a nested one by its JSON
 * pointer (RFC 6901: `/app_metadata/groups`). Undefined where there is none.
 */
export function readClaim(claims: Claims, name: string): unknown {
  if (!name.startsWith('/')) return Object.hasOwn(claims, name) ? claims[name] : undefined;
  return name
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (value, part) => (isObject(value) && Object.hasOwn(value, part) ? value[part] : undefined),
      claims,
    );
}

/** RFC 6749 §3.3: names behind spaces; some providers give an array. Null where it is neither. */
export function readScopes(value: unknown, prefix: string): Set<string> | null {
  const names: unknown = typeof value === 'string' ? value.split(' ') : (value ?? []);
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) return null;
  const ours = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return new Set(ours.filter((name) => name !== ''));
}

/** OpenID Connect Core §2: a subject has at most 255 characters. One that PostgreSQL could not store is no name. */
export function isName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    value.length <= 255 &&
    !/[\p{Surrogate}\u0000-\u001f\u007f]/u.test(value)
  );
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
