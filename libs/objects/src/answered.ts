import type { Refused } from './answers.js';
import { asCode } from './ask-store.js';
import { NoAnswer } from '@countersign/outgoing';

/** What the store did as it was asked, or its refusal: only status and code of it, as the rest of an answer may be anything. */
export async function answered<T>(request: Promise<T>): Promise<{ kind: 'answered'; answer: T } | Refused> {
  try {
    return { kind: 'answered', answer: await request };
  } catch (error) {
    if (error instanceof NoAnswer) return refused(null, '', `no answer (${error.message})`);
    const { name, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    const status = $metadata?.httpStatusCode ?? 0;
    return status >= 300 ? refused(status, asCode(name)) : UNREADABLE;
  }
}

const refused = (status: number | null, code: string, why = `${status} ${code}`.trim()): Refused => ({
  kind: 'refused',
  status,
  code,
  why,
});

/** It answered, and not as S3 does. */
export const UNREADABLE: Refused = refused(null, '', 'an unreadable answer');

/** Of a multipart upload. Ceph 16 says NoSuchKey where its parts are asked for. */
export const isGone = ({ code }: Refused): boolean => code === 'NoSuchUpload' || code === 'NoSuchKey';
