import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import { startStore } from '@countersign/embedded';
import { ACCESS_KEY, BUCKET, TestStore, clientFor, refusal } from './store-fixture.js';

test('a killed process is replaced: same port, same objects, same living keys', async () => {
  const t = await TestStore.start();
  try {
    await t.put('kept', 'kept');
    const next = { accessKeyId: 'AKIANEXT', secretAccessKey: 'next' };
    await t.change('PUT', next);
    for (let crash = 1; crash <= 2; crash++) {
      const killed = t.store.processId!;
      process.kill(killed, 'SIGKILL');
      await until(async () => t.store.processId !== killed && (await t.read('kept')) === 'kept');
    }
    expect((await clientFor(t.store.endpoint, next).send(new ListBucketsCommand({}))).Buckets).toHaveLength(1);
    await t.change('DELETE', ACCESS_KEY);
    expect(await refusal(fetch(await t.presignGet('kept')))).toBe('403 InvalidAccessKeyId');
  } finally {
    await t.stop();
  }
});

test('objects are kept between starts', async () => {
  const first = await TestStore.start();
  await first.put('kept', 'kept');
  await first.store.stop();
  const second = await TestStore.start({ dir: first.dir });
  expect(await second.read('kept')).toBe('kept');
  await second.stop();
});

test('stopping lets an upload in flight finish, takes no new request, and may be asked for twice', async () => {
  const t = await TestStore.start();
  const upload = http.request(await t.presignPut('last'), {
    method: 'PUT',
    headers: { 'content-length': 4 },
    agent: false,
  });
  const status = new Promise((resolve) => upload.once('response', (response) => resolve(response.resume().statusCode)));
  upload.write('la');
  await sleep(50);
  const stopped = t.store.stop();
  await sleep(50);
  await expect(fetch(t.store.endpoint)).rejects.toThrow();
  upload.end('st');
  expect(await status).toBe(200);
  await stopped;
  await t.stop();
  expect(isAlive(t.store.processId!)).toBe(false);
});

test('a store whose parent is killed ends by itself', async () => {
  // Attack: an orphan keeps the port, and answers with keys that were revoked since.
  const dir = await mkdtemp(path.join(os.tmpdir(), 'countersign-orphan-'));
  const lib = fileURLToPath(new URL('../../dist/libs/embedded/src/index.js', import.meta.url));
  const script = `const { startStore } = await import(${JSON.stringify(lib)});
    const store = await startStore({ dir: ${JSON.stringify(dir)}, buckets: [], accessKeys: [] });
    console.log(store.endpoint);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const endpoint = await new Promise<string>((resolve) =>
    parent.stdout.once('data', (url) => resolve(`${url}`.trim())),
  );
  expect((await fetch(endpoint)).status).toBe(403);
  parent.kill('SIGKILL');
  await until(() =>
    fetch(endpoint).then(
      () => false,
      () => true,
    ),
  );
  await rm(dir, { recursive: true });
});

test('a port that is taken is a plain error', async () => {
  const t = await TestStore.start();
  const second = startStore({ dir: t.dir, port: t.store.port, buckets: [], accessKeys: [] });
  await expect(second).rejects.toThrow(`did not start on port ${t.store.port}`);
  await t.stop();
});

test('the log names refused requests, and no signature', async () => {
  const lines: string[] = [];
  const t = await TestStore.start({ log: (line) => lines.push(line) });
  await fetch((await t.presignGet('a')).replace('/a', '/b'));
  await t.put('fine', 'x');
  await t.stop();
  expect(lines).toEqual([`GET /${BUCKET}/b 403 SignatureDoesNotMatch`]);
});

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 5_000; waited += 25) {
    if (await isTrue().catch(() => false)) return;
    await sleep(25);
  }
  throw new Error('It did not happen within five seconds.');
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
