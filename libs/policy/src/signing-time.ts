/**
 * When a URL is signed: now; a stable one at the start of the window that now is in. A window is half as long as the URL is asked to live,
 * so what is signed at its start still has half its life at its end, and never more than what was asked. The windows of equal lives
 * begin at the same times everywhere. Whole seconds, since the epoch. Pure.
 */
export function signingTime(now: number, askedSeconds: number, isStable: boolean): number {
  if (!isStable) return now;
  const windowSeconds = Math.max(1, Math.floor(askedSeconds / 2));
  return now - (now % windowSeconds);
}
