import { Max, MaxLength, Min } from 'class-validator';
import { IsQueryInteger, Optional } from './validators.js';

export class PageQuery {
  /** How many items at the most. */
  @Optional() @Max(200) @Min(1) @IsQueryInteger() limit?: number = 50;

  /** `nextCursor` of the page before. */
  @Optional() @MaxLength(512) cursor?: string;
}
