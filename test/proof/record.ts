import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

/** What a proof found, as the table of docs/proofs.md has it. */
export interface Outcome {
  /** How often the promise was attacked. */
  cases: number;
  /** What came of it, in words: `0 missing of 51,234`. */
  figure: string;
}

/**
 * One promise, who attacks it and how, and the change to the code that this proof was seen to fail with. `record` is called once all is seen
 * to hold, and leaves one line of JSON in the directory that PROOF_RECORDS names, if it names one.
 */
export function proof(promise: string, attack: string, mutation: string) {
  return {
    record({ cases, figure }: Outcome): void {
      const dir = process.env['PROOF_RECORDS'];
      if (dir === undefined || dir === '') return;
      const line = JSON.stringify({ promise, attack, mutation, cases, figure });
      writeFileSync(path.join(dir, `${randomUUID()}.json`), `${line}\n`);
    },
  };
}
