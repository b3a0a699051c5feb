import { SUB } from './lookup-paths.js';
import { isSegment } from './object-key.js';

/** A live grant whose subject is the caller, one of the caller's groups, or everyone. */
export interface Grant {
  id: string;
  path: string;
  isPrefix: boolean;
  actions: readonly ('read' | 'write')[];
  effect: 'allow' | 'deny';
}

export type Permission = { isAllowed: true } | { isAllowed: false; reason: 'not-granted' };

/**
 * May this subject do this to this key? Denied unless a grant allows it, and denied whatever allows it once a grant denies it.
 * Pure: the same grants give the same answer.
 */
export function decide(
  grants: readonly Grant[],
  wanted: { action: 'read' | 'write'; key: string; subject: string },
): Permission {
  const matching = grants.filter(
    (grant) => grant.actions.includes(wanted.action) && covers(grant, wanted.key, wanted.subject),
  );
  const isAllowed =
    matching.some((grant) => grant.effect === 'allow') && !matching.some((grant) => grant.effect === 'deny');
  return isAllowed ? { isAllowed } : { isAllowed, reason: 'not-granted' };
}

/** By whole segments: a prefix is empty or ends in `/`, so `users/1` can never cover `users/10`. */
function covers(grant: Pick<Grant, 'path' | 'isPrefix'>, key: string, subject: string): boolean {
  if (!grant.isPrefix) return key === grant.path;
  if (!grant.path.includes(SUB)) return key.startsWith(grant.path);
  // A subject such as `bob/../alice` or `alice/` would reach into another folder.
  return isSegment(subject) && key.startsWith(grant.path.replaceAll(SUB, () => subject));
}

/** Whether a grant covers a key for some subject: whoever's segment stands where the prefix says `{sub}`. */
export function canCover(grant: Pick<Grant, 'path' | 'isPrefix'>, key: string): boolean {
  const [head = '', behindSub] = grant.isPrefix ? grant.path.split(SUB) : [];
  if (behindSub === undefined) return covers(grant, key, '');
  const suffix = behindSub.split('/', 1)[0] ?? '';
  const [segment = ''] = key.slice(head.length).split('/', 1);
  return covers(grant, key, segment.slice(0, segment.length - suffix.length));
}
