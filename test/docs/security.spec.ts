import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';

const text = readFileSync('SECURITY.md', 'utf8');
const named = [...text.matchAll(/`(test\/[\w./-]+)`/g)].map(([, file]) => file ?? '');

it('every promise of SECURITY.md names tests, and all of them are there', () => {
  const section = text.slice(text.indexOf('## What is promised'), text.indexOf('## What is not'));
  const promises = section.split('\n').filter((line) => line.startsWith('| ') && !/^\| (?:promise|-)/.test(line));
  expect(promises.length).toBeGreaterThan(8);
  expect(promises.filter((promise) => !/`test\/[\w./-]+`/.test(promise))).toEqual([]);
  expect(named.filter((file) => !existsSync(file))).toEqual([]);
});

it('every proof is named with a promise', () => {
  expect(
    readdirSync('test/proof').filter((file) => file.endsWith('.spec.ts') && !named.includes(`test/proof/${file}`)),
  ).toEqual([]);
});
