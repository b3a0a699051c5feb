import { Optional, validText } from '../../http/validators.js';
import { PART_NUMBER } from './part-number.js';

/** Uppy says the key again with every call about an upload. The upload has its own, so nothing goes by it. */
export class KeyQuery {
  /** The object's key, which is not looked at: the upload has one. */
  @Optional() @validText('isAnything', () => null) key?: string;
}

export class PartNumbersQuery extends KeyQuery {
  /** Which parts, counted from 1, with commas between them; up to 1,000. */
  @validText('arePartNumbers', partNumbersFault) partNumbers!: string;
}

function partNumbersFault(text: string): string | null {
  const numbers = text.split(',');
  if (!numbers.every((each) => PART_NUMBER.test(each))) return 'must be numbers such as "1,2,3"';
  if (numbers.length > 1_000) return 'must be at most 1,000';
  return new Set(numbers).size === numbers.length ? null : 'must each be there once';
}
