import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ReconcilerRig, type Replica, type RigBucket, sha256 } from './reconciler-rig.js';

const HOUR = 3_600;
const DAY = 24 * HOUR;

let rig: ReconcilerRig;
let replica: Replica;
let bucket: RigBucket;
beforeAll(async () => {
  rig = await ReconcilerRig.start();
  replica = rig.replica();
});
beforeEach(async () => {
  await rig.database.query('DELETE FROM uploads');
  bucket = await rig.makeBucket();
});
afterAll(() => rig.close());

const outcomes = async () => [...(await replica.reconcile()).values()].map(({ outcome }) => outcome);

describe('an upload whose time is up', () => {
  it.each(['put', 'post'])(
    'by %s, of which nothing came, expires; the store is looked at three times more',
    async (mode) => {
      const size = mode === 'post' ? { contentLength: null, range: [1, 9] as [number, number] } : {};
      const { id } = await rig.upload(bucket, { mode, withheld: true, ...size });
      expect(await outcomes()).toEqual(['expired']);
      expect(await rig.row(id)).toMatchObject({ state: 'expired', dueAfter: `${HOUR}`, withheld: true, lease: null });
      for (const [passed, next] of [
        [HOUR, 6 * HOUR],
        [5 * HOUR, 24 * HOUR],
      ] as const) {
        await rig.timePasses(bucket, passed);
        expect(await outcomes()).toEqual(['looked']);
        expect(await rig.row(id)).toMatchObject({ state: 'expired', dueAfter: `${next}`, withheld: true });
      }
      await rig.timePasses(bucket, 18 * HOUR);
      expect(await outcomes()).toEqual(['looked']);
      expect(await rig.row(id)).toMatchObject({ state: 'expired', withheld: false, waits: true });
      expect(await rig.events(id)).toEqual(['upload.expired']);

      await rig.timePasses(bucket, 29 * DAY);
      expect(await outcomes()).toEqual([]);
      await rig.timePasses(bucket, 2 * DAY);
      expect(await outcomes()).toEqual([]);
      expect(await rig.row(id)).toBeNull();
    },
  );

  it('and whose object is there, though nobody completed it, is judged as a completion judges', async () => {
    const good = await rig.upload(bucket, { checksumSha256: sha256('hello'), withheld: true });
    const bad = await rig.upload(bucket, { checksumSha256: sha256('hello'), withheld: true });
    await rig.put(bucket, good.key, 'hello', good.id);
    await rig.put(bucket, bad.key, 'HELLO', bad.id);
    const done = await replica.reconcile();
    expect(done.get(good.id)).toMatchObject({ outcome: 'verified' });
    expect(done.get(bad.id)).toMatchObject({ outcome: 'rejected' });
    expect(await rig.row(good.id)).toMatchObject({
      state: 'verified',
      verified: ['size', 'type', 'checksum'],
      withheld: false,
    });
    expect(await rig.row(bad.id)).toMatchObject({ state: 'rejected', mismatches: [{ what: 'checksum' }], lease: null });
    expect(await rig.events(good.id)).toEqual(['upload.verified']);
    expect(await rig.events(bad.id)).toEqual(['upload.rejected']);
    expect(await rig.keys(bucket)).toEqual([good.key]);
  });

  it('in parts is aborted at the store, with what has arrived of it', async () => {
    const { id, key } = await rig.upload(bucket, { mode: 'multipart', storeUploadId: '' });
    const storeUploadId = await rig.begin(bucket, key, id);
    await rig.database.query('UPDATE uploads SET store_upload_id = $2 WHERE id = $1', [id, storeUploadId]);
    await rig.putPart(bucket, key, storeUploadId, 'hello');
    expect(await rig.begun(bucket)).toEqual([storeUploadId]);
    expect(await outcomes()).toEqual(['expired']);
    expect(await rig.begun(bucket)).toEqual([]);
    expect(await rig.events(id)).toEqual(['upload.expired']);
    // What is gone already stays so.
    await rig.timePasses(bucket, HOUR);
    expect(await outcomes()).toEqual(['looked']);
  });

  it('in parts that its completion had put together before it died is verified', async () => {
    const { id, key } = await rig.upload(bucket, { mode: 'multipart', storeUploadId: '' });
    const storeUploadId = await rig.begin(bucket, key, id);
    await rig.database.query('UPDATE uploads SET store_upload_id = $2 WHERE id = $1', [id, storeUploadId]);
    await rig.complete(bucket, key, storeUploadId, await rig.putPart(bucket, key, storeUploadId, 'hello'));
    expect(await outcomes()).toEqual(['verified']);
    expect(await rig.read(bucket, key)).toBe('hello');
  });
});

describe('an object that comes late', () => {
  it.each([HOUR, 6 * HOUR, 24 * HOUR])('is verified where its upload had expired %i seconds ago', async (passed) => {
    const { id, key } = await rig.upload(bucket);
    expect(await outcomes()).toEqual(['expired']);
    await rig.put(bucket, key, 'hello', id);
    await rig.timePasses(bucket, passed);
    expect(await outcomes()).toEqual(['verified']);
    expect(await rig.row(id)).toMatchObject({ state: 'verified', size: '5' });
    expect(await rig.events(id)).toEqual(['upload.expired', 'upload.verified']);
    expect(await rig.read(bucket, key)).toBe('hello');
  });

  it('and is not what was promised is removed', async () => {
    const { id, key } = await rig.upload(bucket);
    expect(await outcomes()).toEqual(['expired']);
    await rig.put(bucket, key, 'hello!', id);
    await rig.timePasses(bucket, HOUR);
    expect(await outcomes()).toEqual(['rejected']);
    expect(await rig.read(bucket, key)).toBeNull();
  });

  it.each(['aborted', 'rejected'])('is removed where its upload was %s', async (state) => {
    // Attack: whoever holds the URL of an upload that was given up, or refused, uses it once more.
    const { id, key } = await rig.upload(bucket, { state, looks: 1, finishedIn: -60 });
    await rig.put(bucket, key, 'hello', id);
    expect(await outcomes()).toEqual(['removed']);
    expect(await rig.read(bucket, key)).toBeNull();
    expect(await rig.events(id)).toEqual(['upload.late-object-removed']);
    expect(await rig.row(id)).toMatchObject({ state, dueAfter: `${HOUR}` });
  });

  it('is removed, as a matter of course, where the removal was still to be done', async () => {
    const { id, key } = await rig.upload(bucket, { state: 'rejected', looks: 0, finishedIn: -60 });
    await rig.put(bucket, key, 'hello', id);
    expect(await outcomes()).toEqual(['removed']);
    expect(await rig.events(id)).toEqual([]);
  });
});

describe('an object that came by no upload of ours, or by another', () => {
  it.each(['pending', 'uploaded', 'expired', 'aborted', 'rejected'])(
    'is left alone where ours is %s',
    async (state) => {
      // Mishap: somebody's only copy of something lies under the key.
      for (const uploadId of [null, randomUUID()]) {
        const finishedIn = ['pending', 'uploaded'].includes(state) ? null : -60;
        const { id, key } = await rig.upload(bucket, { state, finishedIn, looks: finishedIn === null ? 0 : 1 });
        await rig.put(bucket, key, 'theirs', uploadId);
        expect(await outcomes()).toEqual([finishedIn === null ? 'expired' : 'looked']);
        expect(await rig.read(bucket, key)).toBe('theirs');
        expect(await rig.events(id)).toEqual(finishedIn === null ? ['upload.expired'] : []);
        expect((await rig.row(id))?.['state']).not.toBe('verified');
      }
    },
  );
});

describe('a multipart upload that was begun and whose name nobody heard', () => {
  const start = { mode: 'multipart', createdIn: -70, expiresIn: 900 };

  it('is found at the store and aborted', async () => {
    const { id, key } = await rig.upload(bucket, { ...start, createdIn: -60 });
    const storeUploadId = await rig.begin(bucket, key, id);
    await rig.putPart(bucket, key, storeUploadId, 'hello');
    expect(await outcomes()).toEqual(['aborted']);
    expect(await rig.begun(bucket)).toEqual([]);
    expect(await rig.events(id)).toEqual(['upload.aborted']);
    expect(await rig.row(id)).toMatchObject({ state: 'aborted', dueAfter: '0' });
  });

  it('is over as well where the store had not begun it', async () => {
    const { id } = await rig.upload(bucket, start);
    expect(await outcomes()).toEqual(['aborted']);
    expect(await rig.events(id)).toEqual(['upload.aborted']);
  });

  it('is found where it was begun only after it had been looked for', async () => {
    const { id, key } = await rig.upload(bucket, start);
    expect(await outcomes()).toEqual(['aborted']);
    await rig.begin(bucket, key, id);
    await rig.timePasses(bucket, 0);
    await rig.database.query('UPDATE uploads SET due_at = now() WHERE id = $1', [id]);
    expect(await outcomes()).toEqual(['looked']);
    expect(await rig.begun(bucket)).toEqual([]);
  });

  it('is not taken for one of another key, of another time, or of another upload', async () => {
    // Mishap: another program, or another user, is uploading to the same bucket.
    const { key } = await rig.upload(bucket, start);
    const longer = await rig.begin(bucket, `${key}-2`);
    const shorter = await rig.begin(bucket, key.slice(0, -1));
    const { id: other } = await rig.upload(bucket, { ...start, key, createdIn: -30, dueIn: 60, storeUploadId: '' });
    const named = await rig.begin(bucket, key, other);
    await rig.database.query('UPDATE uploads SET store_upload_id = $2 WHERE id = $1', [other, named]);
    expect(await outcomes()).toEqual(['aborted']);
    expect(await rig.begun(bucket)).toEqual([longer, shorter, named].toSorted());

    // Begun long before us, or long after.
    for (const createdIn of [601, -601]) {
      const late = await rig.upload(bucket, { ...start, createdIn, dueIn: -1 });
      const foreign = await rig.begin(bucket, late.key);
      expect(await outcomes()).toEqual(['aborted']);
      expect(await rig.begun(bucket)).toContain(foreign);
    }
  });

  it('is not taken for one that another registration of the same place has on record', async () => {
    const elsewhere = await rig.makeBucket({ keyPrefix: '' });
    const { key } = await rig.upload(bucket, start);
    const { id: other } = await rig.upload(elsewhere, {
      ...start,
      key: bucket.keyPrefix + key,
      dueIn: 60,
      storeUploadId: '',
    });
    const named = await rig.begin(bucket, key, other);
    await rig.database.query('UPDATE uploads SET store_upload_id = $2 WHERE id = $1', [other, named]);
    expect(await outcomes()).toEqual(['aborted']);
    expect(await rig.begun(bucket)).toEqual([named]);
  });

  it('waits while another start of the same key does not say its name yet', async () => {
    // Mishap: two begin the same key; the one that lives has its name from the store and has not written it down yet.
    const { id, key } = await rig.upload(bucket, start);
    const { id: young } = await rig.upload(bucket, { ...start, key, createdIn: -5, dueIn: 55 });
    const begun = await rig.begin(bucket, key, young);
    expect(await outcomes()).toEqual(['looked']);
    expect(await rig.begun(bucket)).toEqual([begun]);
    expect(await rig.row(id)).toMatchObject({ state: 'pending', waits: true });

    await rig.database.query('UPDATE uploads SET store_upload_id = $2, due_at = expires_at WHERE id = $1', [
      young,
      begun,
    ]);
    await rig.timePasses(bucket, 61);
    expect(await outcomes()).toEqual(['aborted']);
    expect(await rig.begun(bucket)).toEqual([begun]);
    expect(await rig.row(young)).toMatchObject({ state: 'pending' });
  });
});

describe('a completion that died', () => {
  it('is gone on with at once: what it was reading is read to its end', async () => {
    const { id, key } = await rig.upload(bucket, {
      state: 'uploaded',
      expiresIn: 900,
      checksumSha256: sha256('hello'),
    });
    await rig.put(bucket, key, 'hello', id);
    expect(await outcomes()).toEqual(['verified']);
  });

  it('leaves its owner the rest of the time where the object is gone again', async () => {
    const { id } = await rig.upload(bucket, { state: 'uploaded', expiresIn: 900 });
    expect(await outcomes()).toEqual(['looked']);
    expect(await rig.row(id)).toMatchObject({ state: 'pending', dueAfter: '0', waits: true });
    expect(await rig.events(id)).toEqual([]);
  });
});

describe('two replicas at once', () => {
  it('do each thing once', async () => {
    const other = rig.replica();
    const uploads = await Promise.all(Array.from({ length: 24 }, () => rig.upload(bucket)));
    await Promise.all(uploads.slice(0, 8).map(({ id, key }) => rig.put(bucket, key, 'hello', id)));
    await Promise.all(uploads.slice(8, 16).map(({ id, key }) => rig.put(bucket, key, 'HELLO!', id)));
    await Promise.all([replica, other, replica, other].map((each) => each.reconcile()));
    for (const [n, { id }] of uploads.entries()) {
      const event = ['upload.verified', 'upload.rejected', 'upload.expired'][Math.floor(n / 8)];
      expect(await rig.events(id)).toEqual([event]);
      expect(await rig.row(id)).toMatchObject({ lease: null, attempts: 0, waits: true });
    }
    expect(await rig.keys(bucket)).toHaveLength(8);
  });

  it('and whoever has lost its lease in the middle changes nothing', async () => {
    // Attack: a worker that was halted wakes up after another one has verified the upload, and lets it expire.
    const { id, key } = await rig.upload(bucket);
    const store = http.createServer((_, response) => {
      void (async () => {
        await rig.put(bucket, key, 'hello', id);
        await rig.database.query('UPDATE buckets SET endpoint = $2 WHERE id = $1', [
          bucket.bucketId,
          process.env['STORAGE_ENDPOINT'],
        ]);
        await rig.database.query('UPDATE uploads SET lease_until = now() WHERE id = $1', [id]);
        await rig.replica().reconcile();
        response.writeHead(404).end();
      })();
    });
    const endpoint = await listen(store);
    await rig.database.query('UPDATE buckets SET endpoint = $2 WHERE id = $1', [bucket.bucketId, endpoint]);
    expect(await outcomes()).toEqual(['left']);
    expect(await rig.row(id)).toMatchObject({ state: 'verified' });
    expect(await rig.events(id)).toEqual(['upload.verified']);
    await close(store);
  });
});

describe('a store that does not answer', () => {
  it('is asked again later and later, and nobody else waits for it', async () => {
    const broken = http.createServer((_, response) => response.writeHead(500).end());
    const away = await rig.makeBucket({ endpoint: await listen(broken) });
    const { id } = await rig.upload(away);
    await rig.upload(bucket);
    const done = await replica.reconcile();
    expect(done.get(id)).toMatchObject({ outcome: 'put-off', why: expect.stringContaining('500') });
    expect([...done.values()].map(({ outcome }) => outcome).toSorted()).toEqual(['expired', 'put-off']);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      const sql =
        'SELECT attempts, state, lease, extract(epoch FROM due_at - now()) AS wait FROM uploads WHERE id = $1';
      const [row] = await rig.database.query<{ wait: string }>(sql, [id]);
      expect(row).toMatchObject({ state: 'pending', attempts: attempt + 1, lease: null });
      waits.push(Math.round(Number(row?.wait) / 60));
      await rig.database.query('UPDATE uploads SET due_at = now() WHERE id = $1', [id]);
      await replica.reconcile();
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);

    await rig.database.query('UPDATE buckets SET endpoint = $2 WHERE id = $1', [
      away.bucketId,
      process.env['STORAGE_ENDPOINT'],
    ]);
    await rig.database.query('UPDATE uploads SET due_at = now() WHERE id = $1', [id]);
    expect(await outcomes()).toEqual(['expired']);
    expect(await rig.row(id)).toMatchObject({ attempts: 0 });
    await close(broken);
  });

  it('keeps two requests of ours waiting and no more, while others are served', async () => {
    // Attack: a tenant's store takes connections and never answers.
    let most = 0;
    const waiting = new Set<http.ServerResponse>();
    const silent = http.createServer((_, response) => {
      most = Math.max(most, waiting.add(response).size);
      response.on('close', () => waiting.delete(response));
    });
    const slow = await rig.makeBucket({ endpoint: await listen(silent) });
    for (let n = 0; n < 6; n++) await rig.upload(slow, { dueIn: -100 });
    const others = await Promise.all(Array.from({ length: 6 }, () => rig.upload(bucket)));
    const stopping = new AbortController();
    const running = replica.reconcile(stopping.signal);
    for (const deadline = Date.now() + 4_000; ;) {
      const states = await Promise.all(others.map(({ id }) => rig.row(id)));
      if (states.every((row) => row?.['state'] === 'expired')) break;
      if (Date.now() > deadline) throw new Error('they wait for another’s store');
    }
    expect(most).toBe(2);
    // A process that ends gives back what it has, as it is.
    stopping.abort();
    await running;
    const rows = await rig.database.query(
      'SELECT FROM uploads WHERE bucket_id = $1 AND lease IS NULL AND attempts = 0',
      [slow.bucketId],
    );
    expect(rows).toHaveLength(6);
    await close(silent);
  });

  it('and whose bucket is not registered any more is forgotten', async () => {
    const { id } = await rig.upload({ ...bucket, bucketId: randomUUID() });
    expect(await outcomes()).toEqual(['forgotten']);
    expect(await rig.row(id)).toBeNull();
  });
});

async function listen(server: http.Server): Promise<string> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function close(server: http.Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
