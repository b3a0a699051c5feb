import { type FieldError, ProblemError } from '@countersign/errors';
import { invalid } from '../../http/request-validation.pipe.js';
import type { UppyFile } from './uppy-file.js';

/** To be added to a page that does not tell us how large its files are. */
const SIZE_LINE =
  'uppy.addPreProcessor(async (ids) => ids.forEach((id) => uppy.setFileMeta(id, { size: uppy.getFile(id).size })))';

/** What the use cases call a field, and where Uppy has it. */
const PLACES: Readonly<Record<string, string>> = {
  '/bucket': '/metadata/bucket',
  '/prefix': '/metadata/prefix',
  '/useCase': '/metadata/useCase',
  '/expiresInSeconds': '/metadata/expiresInSeconds',
  '/contentType': '/type',
  '/contentLength': '/metadata/size',
  '/contentLengthRange/min': '/metadata/size',
  '/contentLengthRange/max': '/metadata/size',
};

/** The same problem, with the places of Uppy's request; and where a line of the page's own would help, with that line. */
export function inUppysWords(problem: ProblemError, file: UppyFile): ProblemError {
  const { code, errors } = problem;
  if (errors.length === 0) return problem;
  const renamed = errors.map((error) => ({ ...error, ...placed(error, file) }));
  return problem.status === 400 ? invalid(renamed) : new ProblemError(code, toSentence(renamed), { errors: renamed });
}

export const sizeNeeded = () => invalid([{ pointer: '/metadata/size', message: `must be given: add ${SIZE_LINE}` }]);

/** All that is wrong, for a person. */
export const toSentence = (errors: readonly FieldError[]): string =>
  `${errors.map(({ pointer, message }) => `${pointer.slice(1).replaceAll('/', '.')} ${message}`).join('; ')}.`;

function placed({ pointer, message }: FieldError, { metadata }: UppyFile): FieldError {
  if (pointer === '/key') return { pointer: metadata.key === undefined ? '/filename' : '/metadata/key', message };
  if (pointer !== '/mode') return { pointer: PLACES[pointer] ?? pointer, message };
  if (metadata.size === undefined)
    return { pointer: '/metadata/size', message: `must be given, since this bucket offers no forms: add ${SIZE_LINE}` };
  if (metadata.size === 0)
    return { pointer: '/metadata/size', message: 'cannot be 0, since this bucket offers no forms' };
  return { pointer: '/filename', message: 'cannot be sent by a form to this bucket: set shouldUseMultipart to true' };
}
