import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type ProblemCode, problems } from '@countersign/errors';
import { examplesOf } from './examples.js';

const FILE = 'docs/troubleshooting.md';
const headings = [...readFileSync(FILE, 'utf8').matchAll(/^### (\d{3}) (.+)$/gm)];

describe('docs/troubleshooting.md', () => {
  it('has the problems that people ask about', () => {
    expect(headings.map(([, , code]) => code)).toEqual(
      expect.arrayContaining([
        'unauthenticated',
        'scope-missing',
        'not-granted',
        'tenant-suspended',
        'bucket-not-found',
      ]),
    );
  });

  for (const [, status, code = ''] of headings) {
    it(`speaks of ${code} as it is`, () => {
      const problem = problems[code as ProblemCode] as { status: number } | undefined;
      expect(String(problem?.status)).toBe(status);
    });
  }

  for (const { heading, text } of examplesOf(FILE)) {
    it(`shows an answer of "${heading}"`, () => {
      const { status, code } = JSON.parse(text) as { status: number; code: string };
      expect(`${status} ${code}`).toBe(heading);
    });
  }

  it('explains every 503', () => {
    const unavailable = Object.entries(problems).filter(([, { status }]) => status === 503);
    const explained = headings.map(([, , code]) => code);
    expect(explained).toEqual(expect.arrayContaining(unavailable.map(([code]) => code)));
  });
});
