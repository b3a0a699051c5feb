/** What a store said, as it may stand in a message to administrators: one short line, whatever it sent. */
export function storeWords(...words: unknown[]): string {
  return words
    .filter((word): word is string => typeof word === 'string' && word !== '')
    .join(' ')
    .replaceAll(/\p{Cc}+/gu, ' ')
    .slice(0, 300);
}
