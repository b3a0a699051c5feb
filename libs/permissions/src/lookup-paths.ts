/** Stands for the subject in a prefix. */
export const SUB = '{sub}';

/**
 * The index entries that can hold a grant on this key: the key itself and its ancestors, `""` first. `a/b/c` gives
 * `["", "a/", "a/b/", "a/b/c"]`, so a look-up costs what the key is deep, however many grants there are.
 */
export function lookupPaths(key: string): string[] {
  const paths = [''];
  for (let slash = key.indexOf('/'); slash !== -1; slash = key.indexOf('/', slash + 1))
    paths.push(key.slice(0, slash + 1));
  paths.push(key);
  return paths;
}

/** The index entry that a grant is found by: its path, and of a prefix with `{sub}` what comes before that segment. */
export function lookupPathOf(path: string, isPrefix: boolean): string {
  const sub = isPrefix ? path.indexOf(SUB) : -1;
  return sub === -1 ? path : path.slice(0, path.lastIndexOf('/', sub) + 1);
}
