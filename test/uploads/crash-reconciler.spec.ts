// kill -9 of a reconciler at any step of what it does; the next one goes on.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { CrashRig } from './crash-rig.js';
import { type RigBucket, sha256 } from './reconciler-rig.js';

let rig: CrashRig;
let bucket: RigBucket;
beforeAll(async () => {
  rig = await CrashRig.start({ spares: 0 });
  bucket = await rig.rig.makeBucket({ endpoint: rig.storeDoor });
});
afterEach(() => rig.rig.empty(bucket));
afterAll(() => rig.close());

const CLAIM = 'commit of update uploads';
const VERDICT = 'commit of insert ledger, update uploads';

/** What is due, and how it must end: the state, its events, whether the object is there, and what was asked for on the way. */
const CASES: Record<string, { prepare: () => Promise<unknown>; ends: [string, string, number]; steps: string[] }> = {
  'an expired upload whose object is there': {
    prepare: () => expired('hello'),
    ends: ['verified', 'upload.verified', 1],
    steps: [CLAIM, 'HeadObject', 'commit of update uploads', 'GetObject', VERDICT],
  },
  'an expired upload whose object is another': {
    prepare: () => expired('HELLO'),
    ends: ['rejected', 'upload.rejected', 0],
    steps: [
      CLAIM,
      'HeadObject',
      'commit of update uploads',
      'GetObject',
      VERDICT,
      'HeadObject',
      'DeleteObject',
      'commit of update uploads',
    ],
  },
  'an expired upload in parts': {
    prepare: () => begun({ expiresIn: -1 }, true),
    ends: ['expired', 'upload.expired', 0],
    steps: [CLAIM, 'HeadObject', 'AbortMultipartUpload', VERDICT],
  },
  'a start that died': {
    prepare: () => begun({ expiresIn: 900 }, false),
    ends: ['aborted', 'upload.aborted', 0],
    steps: [CLAIM, 'ListMultipartUploads', 'AbortMultipartUpload', VERDICT],
  },
  'an object that came after the upload was aborted': {
    prepare: () => late(),
    ends: ['aborted', 'upload.late-object-removed', 0],
    steps: [CLAIM, 'HeadObject', VERDICT, 'DeleteObject', 'commit of update uploads'],
  },
};

async function expired(content: string): Promise<void> {
  const { id, key } = await rig.rig.upload(bucket, { checksumSha256: sha256('hello'), withheld: true });
  await rig.rig.put(bucket, key, content, id);
}

async function begun(row: { expiresIn: number }, isNamed: boolean): Promise<void> {
  const { id, key } = await rig.rig.upload(bucket, { ...row, mode: 'multipart', createdIn: -70 });
  const storeUploadId = await rig.rig.begin(bucket, key, id);
  await rig.rig.putPart(bucket, key, storeUploadId, 'hello');
  const sql = 'UPDATE uploads SET store_upload_id = $2 WHERE id = $1';
  if (isNamed) await rig.rig.database.query(sql, [id, storeUploadId]);
}

async function late(): Promise<void> {
  const { id, key } = await rig.rig.upload(bucket, { state: 'aborted', looks: 1, finishedIn: -60 });
  await rig.rig.put(bucket, key, 'hello', id);
}

it.each(Object.entries(CASES))(
  '%s: wherever it dies, the next one does what is left, and each thing is done once',
  async (_, { prepare, ends: [state, events, objects], steps }) => {
    const all = await reconcile(prepare, null);
    expect(all.steps).toEqual(steps.flatMap((what) => [`before ${what}`, `after ${what}`]));
    // After each: to the world outside, that is the same as before the next.
    const deaths = [...all.steps.keys()].filter((n) => all.steps[n]?.startsWith('after'));
    for (const diesAt of [null, ...deaths]) {
      if (diesAt !== null) await reconcile(prepare, diesAt);
      await rig.rig.database.query('UPDATE uploads SET lease_until = now() WHERE lease IS NOT NULL');
      const where = diesAt === null ? 'nowhere' : all.steps[diesAt];
      const found = await rig.afterwards(bucket, () => events);
      const rows = await rig.rig.database.query<{ state: string }>('SELECT state::text FROM uploads');
      expect([where, found, rows]).toEqual([where, [], [{ state }]]);
      expect([where, (await rig.rig.keys(bucket)).length]).toEqual([where, objects]);
      await rig.rig.empty(bucket);
    }
  },
  300_000,
);

/** The command, in a process of its own; gives its steps until its death or its end. */
async function reconcile(prepare: () => Promise<unknown>, diesAt: number | null): Promise<{ steps: string[] }> {
  await prepare();
  const env = {
    PATH: process.env['PATH'],
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    ...rig.environment,
  };
  const child = spawn(process.execPath, ['dist/apps/api/src/upload-reconciler/main.js'], { env, stdio: 'ignore' });
  const closed = once(child, 'close');
  const watched = rig.watch(diesAt, async () => {
    child.kill('SIGKILL');
    await closed;
  });
  const [exitCode] = (await closed) as [number | null];
  const steps = watched();
  expect(exitCode).toBe(diesAt === null ? 0 : null);
  return { steps };
}
