import { invalid } from '../http/request-validation.pipe.js';
import { sha256Fault } from '../http/validators.js';
import type { PartUrlsRequest } from './uploads.dto.js';

/** What one property's decorators cannot say. @throws ProblemError `invalid-request` */
export function assertWellPaired({ partNumbers, checksums }: PartUrlsRequest): void {
  if (!checksums) return;
  if (checksums.length !== partNumbers.length) {
    throw invalid([{ pointer: '/checksums', message: 'must be one for each of partNumbers, in their order' }]);
  }
  const faults = checksums.flatMap((checksum, n) => {
    const message = sha256Fault(checksum);
    return message ? [{ pointer: `/checksums/${n}`, message }] : [];
  });
  if (faults.length > 0) throw invalid(faults);
}
