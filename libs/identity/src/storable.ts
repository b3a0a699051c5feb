/** PostgreSQL holds neither NUL nor half a character: asked for one, it answers with a fault instead of with nothing. */
export const isStorable = (text: string): boolean => !/[\p{Surrogate}\u0000]/u.test(text);
