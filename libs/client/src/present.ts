import { CountersignError } from './countersign-error.js';

/** What the types cannot know: whatever is not ok was thrown. */
export function present<Data>({ data, response }: { data?: Data; response: Response }): Data {
  if (data === undefined) throw new CountersignError({ status: response.status });
  return data;
}
