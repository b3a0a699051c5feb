import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { LATEST_MIGRATION } from '@countersign/database';
import { ProblemError, type ProblemCode, problems } from '@countersign/errors';

describe('The table of problems', () => {
  const codes = Object.keys(problems) as ProblemCode[];

  it('is what docs/errors.md explains: a heading for each code, and a code for each heading', () => {
    const headings = readFileSync('docs/errors.md', 'utf8').matchAll(/^## (.+)$/gm);
    expect([...headings].map(([, heading]) => String(heading)).sort()).toEqual([...codes].sort());
  });

  it.each(codes)('%s is a name that can be an anchor, with a status of the contract and a title', (code) => {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect([400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 500, 503]).toContain(problems[code].status);
    expect(problems[code].title).toMatch(/^[A-Z][^.]+$/);
    expect(new ProblemError(code, 'x').status).toBe(problems[code].status);
  });

  it('is all that the code can throw: ProblemError takes no status of its own', () => {
    const cause = new Error('inside');
    const problem = new ProblemError('not-granted', 'shown', { errors: [{ pointer: '/a', message: 'b' }], cause });
    expect(problem).toMatchObject({ status: 403, detail: 'shown', errors: [{ pointer: '/a', message: 'b' }], cause });
    expect(problem.retryAfterSeconds).toBeUndefined();
  });
});

describe('LATEST_MIGRATION', () => {
  it('is the newest folder of prisma/migrations, or /readyz would speak of another schema', () => {
    const folders = readdirSync('prisma/migrations', { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(LATEST_MIGRATION).toBe(
      folders
        .map(({ name }) => name)
        .sort()
        .at(-1),
    );
  });
});
