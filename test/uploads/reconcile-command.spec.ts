import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type BuiltApi, runBuilt, startBuiltApi } from '../support/built-program.js';
import { ReconcilerRig, type RigBucket } from './reconciler-rig.js';

let rig: ReconcilerRig;
let bucket: RigBucket;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  rig = await ReconcilerRig.start();
  env = { ...rig.database.env, ENCRYPTION_KEYS: process.env['ENCRYPTION_KEYS'], NODE_ENV: 'test' };
});
beforeEach(async () => {
  await rig.database.query('DELETE FROM uploads');
  bucket = await rig.makeBucket();
});
afterAll(() => rig.close());

describe('npm run uploads:reconcile', () => {
  const run = (...args: string[]) => runBuilt('dist/apps/api/src/upload-reconciler/main.js', args, env);

  it('does all that is due, says what it did, and ends', async () => {
    const uploads = await Promise.all(Array.from({ length: 12 }, () => rig.upload(bucket)));
    await Promise.all(uploads.slice(0, 3).map(({ id, key }) => rig.put(bucket, key, 'hello', id)));
    await rig.upload(bucket, { state: 'verified', finishedIn: -60, dueIn: -1 });
    await rig.upload(bucket, { dueIn: 60, expiresIn: 60 });
    expect(await run()).toEqual({ exitCode: 0, stdout: '3 verified, 9 expired, 1 forgotten\n', stderr: '' });
    expect(await run()).toEqual({ exitCode: 0, stdout: 'Nothing was due.\n', stderr: '' });
  });

  it('with --verbose, says it of each upload', async () => {
    const { id, key } = await rig.upload(bucket);
    const { stdout } = await run('--verbose');
    expect(stdout).toBe(`expired ${id} tenant=${bucket.tenantId} put files/${key}\n1 expired\n`);
  });

  it('says what was put off and why, and exits with 1', async () => {
    const away = await rig.makeBucket({ endpoint: 'http://127.0.0.1:9' });
    await Promise.all(Array.from({ length: 3 }, () => rig.upload(away)));
    await rig.upload(bucket);
    const { exitCode, stdout, stderr } = await run();
    expect(stdout).toMatch(/^1 expired, 3 put-off\nput off: no answer .+\n$/);
    expect([exitCode, stderr]).toEqual([1, '']);
  });

  it('explains itself', async () => {
    const help = await run('--help');
    expect([help.exitCode, help.stderr]).toEqual([0, '']);
    expect(help.stdout).toContain('--verbose');
    expect(await run('--loud')).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('--loud') });
    const lost = { ...env, DATABASE_OPERATOR_URL: 'postgresql://nobody:secret@127.0.0.1:9/none' };
    const { exitCode, stderr } = await runBuilt('dist/apps/api/src/upload-reconciler/main.js', [], lost);
    expect([exitCode, stderr]).toEqual([1, 'The database does not answer.\n']);
  });
});

describe('the API', () => {
  const metricsOf = async (api: BuiltApi) => {
    const text = await (await fetch(`${api.url}/metrics`)).text();
    return Object.fromEntries(
      [...text.matchAll(/^countersign_uploads_reconciled_total\{outcome="([\w-]+)"\} (\d+)$/gm)].map(
        ([, outcome, count]) => [outcome, Number(count)],
      ),
    );
  };
  const untilStopped = async (more: NodeJS.ProcessEnv, work: (api: BuiltApi) => Promise<void>) => {
    const api = await startBuiltApi({ ...env, LOG_LEVEL: 'info', ...more });
    try {
      await work(api);
    } finally {
      await api.stop();
    }
    return api.printed();
  };
  const untilState = async (id: string, state: string) => {
    for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(100))
      if ((await rig.row(id))?.['state'] === state) return;
    throw new Error(`it did not become ${state}`);
  };

  it('does the same while it runs, counts it without naming anybody, and says it in one line', async () => {
    const uploads = await Promise.all(Array.from({ length: 5 }, () => rig.upload(bucket)));
    const printed = await untilStopped({}, async (api) => {
      for (const { id } of uploads) await untilState(id, 'expired');
      await sleep(500);
      expect(await metricsOf(api)).toMatchObject({ expired: 5, verified: 0, 'put-off': 0 });
      const metrics = await (await fetch(`${api.url}/metrics`)).text();
      for (const name of [bucket.tenantId, bucket.bucketId]) expect(metrics).not.toContain(name);
    });
    const lines = printed.split('\n').filter((line) => line.includes('uploads reconciled'));
    expect(lines.map((line) => (JSON.parse(line) as { expired: number }).expired)).toEqual([5]);
  });

  it('leaves it to others with RECONCILE_UPLOADS=false', async () => {
    const { id } = await rig.upload(bucket);
    await untilStopped({ RECONCILE_UPLOADS: 'false' }, async () => await sleep(1_500));
    expect(await rig.row(id)).toMatchObject({ state: 'pending', lease: null });
  });

  it('keeps rows for as many days as UPLOAD_RETENTION_DAYS says', async () => {
    const { id } = await rig.upload(bucket, { expiresIn: -2 * 86_400, storeUploadId: null });
    await untilStopped({ UPLOAD_RETENTION_DAYS: '3' }, () => untilState(id, 'expired'));
    const [row] = await rig.database.query<{ days: string }>(
      `SELECT round(extract(epoch FROM due_at - finished_at) / 86400) AS days FROM uploads WHERE id = $1`,
      [id],
    );
    expect(row?.days).toBe('3');
  });

  it('that is told to end gives back at once what it waits for', async () => {
    // A store that takes the connection and says nothing: RFC 5737 has no host there.
    const silent = await rig.makeBucket({ endpoint: 'http://192.0.2.1' });
    const { id } = await rig.upload(silent);
    await untilStopped({}, async () => {
      for (const deadline = Date.now() + 10_000; (await rig.row(id))?.['lease'] === null; await sleep(50))
        if (Date.now() > deadline) throw new Error('it was not taken up');
    });
    expect(await rig.row(id)).toMatchObject({ lease: null });
  });
});
