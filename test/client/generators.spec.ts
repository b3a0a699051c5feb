import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

/** A call that must compile, and one whose mistake must not pass: a client whose types are all `any` would prove nothing. */
const GENERATORS = {
  'openapi-ts': {
    args: ['@hey-api/openapi-ts/bin/run.js', '-i', path.resolve('openapi.json'), '-o', 'client', '--no-log-file'],
    use: `
      import { createDownloadUrls, createUploadUrl, type IssuedUploadUrl } from './client/index.js';
      export async function gallery(): Promise<string[] | undefined> {
        const { data } = await createDownloadUrls({ body: { items: [{ bucket: 'b', key: 'k' }] } });
        return data?.items.map(({ status, body }) => (status === 201 ? body.url : body.code));
      }
      export async function upload(): Promise<string | undefined> {
        const { data } = await createUploadUrl({ body: { bucket: 'b', key: 'k', contentType: 'text/plain', contentLength: 5 } });
        const issued: IssuedUploadUrl | undefined = data;
        const seconds: number | undefined = issued?.expiresInSeconds;
        // @ts-expect-error contentType is missing
        void createUploadUrl({ body: { bucket: 'b', contentLength: 5 } });
        // @ts-expect-error an upload in parts has no url
        void issued?.url;
        if (seconds === undefined) return undefined;
        if (issued?.mode === 'multipart') return issued.partCount.toFixed();
        return issued?.mode === 'post' ? issued.fields['key'] : issued?.url;
      }`,
  },
  oazapfts: {
    args: ['oazapfts/dist/cli.js', path.resolve('openapi.json'), 'client.ts'],
    use: `
      import { createDownloadUrls, createUploadUrl, type IssuedUploadUrl } from './client.js';
      export async function gallery(): Promise<string[] | undefined> {
        const answer = await createDownloadUrls({ items: [{ bucket: 'b', key: 'k' }] });
        if (answer.status !== 200) return undefined;
        return answer.data.items.map(({ status, body }) => (status === 201 ? body.url : body.code));
      }
      export async function upload(): Promise<string | undefined> {
        const answer = await createUploadUrl({ bucket: 'b', key: 'k', contentType: 'text/plain', contentLength: 5 });
        if (answer.status !== 201) return answer.status === 503 ? answer.data.code : undefined;
        const issued: IssuedUploadUrl = answer.data;
        // @ts-expect-error contentType is missing
        void createUploadUrl({ bucket: 'b', contentLength: 5 });
        // @ts-expect-error an upload in parts has no url
        void issued.url;
        if (issued.mode === 'multipart') return issued.partCount.toFixed();
        return issued.mode === 'post' ? issued.fields['key'] : issued.url;
      }`,
  },
};

const STRICT =
  '--strict --noUncheckedIndexedAccess --noEmit --skipLibCheck --target es2022 --lib es2022,dom,dom.iterable';
const MODULES = '--module esnext --moduleResolution bundler --types node';

describe.each(Object.entries(GENERATORS))('openapi.json is pleasant to generate from: %s', (_name, { args, use }) => {
  let dir: string;

  beforeAll(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'countersign-generated-'));
    symlinkSync(path.resolve('node_modules'), path.join(dir, 'node_modules'), 'junction');
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('makes a client that type-checks strictly, with methods named as the operations', () => {
    run(args);
    writeFileSync(path.join(dir, 'use.ts'), use);
    run(['typescript/bin/tsc', ...STRICT.split(' '), ...MODULES.split(' '), 'use.ts']);
  }, 120_000);

  function run([script = '', ...rest]: string[]): void {
    const program = path.resolve('node_modules', script);
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...rest], { cwd: dir, encoding: 'utf8' });
    expect({ status, output: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, output: '' });
  }
});
