import type { StoreAnswer } from '@countersign/objects';
import type { CheckedProperty } from './bucket-check.dto.js';

/** What one trial showed. */
export type Outcome = Omit<CheckedProperty, 'name'>;

export const passed = (detail: string): Outcome => ({ result: 'passed', detail, remedy: null });

export const failed = (detail: string, remedy: string): Outcome => ({ result: 'failed', detail, remedy });

export const skipped = (detail: string, remedy: string | null = null): Outcome => ({
  result: 'skipped',
  detail,
  remedy,
});

/** An answer in a word or two, such as `403 AccessDenied`. What else the store said is not told: it may be anything. */
export function inWords(answer: StoreAnswer): string {
  if (!answer.isAnswered) return `no answer (${answer.why})`;
  return [answer.status, answer.code].filter(Boolean).join(' ');
}

/** The store did what was asked. */
export function isObeyed(answer: StoreAnswer): answer is StoreAnswer & { isAnswered: true } {
  return answer.isAnswered && answer.status >= 200 && answer.status < 300;
}

/** The store said no; not that it could not, nor nothing at all. */
export function isRefused(answer: StoreAnswer): boolean {
  return answer.isAnswered && ((answer.status >= 400 && answer.status < 500) || answer.status === 501);
}
