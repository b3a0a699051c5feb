import { KeyIssuerError } from '@countersign/signing-keys';

/** How an attempt failed: the kind, and its words. */
export async function failure(attempt: Promise<unknown>): Promise<[string, string]> {
  const error = await attempt.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof KeyIssuerError) return [error.kind, error.message];
  throw error;
}
