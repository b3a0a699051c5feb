/**
 * How far our clock and the database's may be apart, in seconds. URLs go by the database's, tokens by ours with a leeway of half a minute, and with
 * both that is still the "no more than a few minutes" of RFC 7519 §4.1.4.
 */
const MAX_SKEW_SECONDS = 60;

/** Our clock and the database's are so far apart that one of them is wrong: no token can be judged by it, and no URL signed. */
export class ClockSkewError extends Error {
  constructor(seconds: number) {
    super(`our clock is ${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead of'} the database's`);
    this.name = 'ClockSkewError';
  }
}

/**
 * Our clock agrees with the database's, which is the reference. However long the answer took: what waiting can explain does not count.
 * @param databaseSeconds what the database's clock said, since the epoch, at some moment between asking and now
 * @param askedAt of `Date.now()`
 * @throws ClockSkewError also where the database said no time
 */
export function assertClocksAgree(databaseSeconds: number, askedAt: number): void {
  const answeredAt = Date.now();
  const earliest = Math.min(askedAt, answeredAt) / 1000 - databaseSeconds;
  const latest = Math.max(askedAt, answeredAt) / 1000 - databaseSeconds;
  // Written so that NaN throws too.
  if (!(latest >= -MAX_SKEW_SECONDS)) throw new ClockSkewError(Math.round(latest));
  if (earliest > MAX_SKEW_SECONDS) throw new ClockSkewError(Math.round(earliest));
}
