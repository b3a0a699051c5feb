import { ProblemError } from '@countersign/errors';
import type { PartFault, Upload } from '@countersign/uploads';

/** How many parts are named of those that are not there. */
const NAMED_AT_MOST = 100;

export const wrongState = ({ state, mode }: Pick<Upload, 'state' | 'mode'>, needed: string): ProblemError =>
  new ProblemError('wrong-state', `The upload is ${state} (mode "${mode}"): ${needed}.`);

/** Nothing was changed, and it can be asked again. */
export const notThereYet = (): ProblemError =>
  incomplete('The store has no object of this upload yet. Nothing was changed: upload it, and ask again.', 1);

export function partsMissing(faults: readonly PartFault[]): ProblemError {
  const errors = faults
    .slice(0, NAMED_AT_MOST)
    .map(({ partNumber, message }) => ({ pointer: '/parts', message: `part ${partNumber} ${message}` }));
  const parts = faults.length === 1 ? 'One part is' : `${faults.length} parts are`;
  return incomplete(`${parts} not as they must be. Nothing was changed: upload them, and ask again.`, 1, errors);
}

/** Somebody else works on it, or we do and it takes long. */
export const stillVerifying = (): ProblemError =>
  incomplete('The object is still being verified. That goes on: ask again.', 5);

export const tryAgain = (detail: string): ProblemError => incomplete(detail, 1);

const incomplete = (detail: string, retryAfterSeconds: number, errors: { pointer: string; message: string }[] = []) =>
  new ProblemError('upload-incomplete', detail, { retryAfterSeconds, errors });

/** It stays pending: whoever has the key may go away. */
export const keyTaken = (): ProblemError =>
  new ProblemError(
    'already-exists',
    'Another object has the key by now, and this upload may not replace it. The parts are kept until the upload expires.',
  );
