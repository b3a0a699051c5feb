import type { PipeTransform } from '@nestjs/common';
import { notFound } from '../../http/not-found.js';

export const PART_NUMBER = /^[1-9]\d{0,4}$/;

/** A part's number, in a path. One that is none names nothing. */
export const PartNumber: PipeTransform<string, number> = {
  transform(text) {
    if (!PART_NUMBER.test(text)) throw notFound('part');
    return Number(text);
  },
};
