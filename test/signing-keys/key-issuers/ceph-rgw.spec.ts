// On the embedded store's Admin Ops API, and the same on a real Ceph RGW where the run's variables name one (test/storage/storage-fixture.ts).
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { CreationIntent } from '@countersign/signing-keys';
import { CephRgwKeyIssuer } from '../../../libs/signing-keys/src/key-issuers/ceph-rgw-key-issuer.js';
import { makeAccessKey, storageAdmin, storageKeyIssuer, untilKnown } from '../../support/storage-keys.js';
import { canary } from './canary.js';
import { failure } from './failure.js';
import { OUTGOING } from '../../support/outgoing.js';

const issuer = storageKeyIssuer;
const intentFor = (accessKeyId: string): CreationIntent => ({
  accessKeyId,
  knownAccessKeyIds: [],
  preparedAt: new Date().toISOString(),
});

describe('on the store', () => {
  it('a key is named before it is made, then signs, then is cut off', async () => {
    const intent = await issuer().prepare();
    expect(intent).toEqual({
      accessKeyId: expect.stringMatching(/^CSGN[A-Z0-9]{16}$/),
      knownAccessKeyIds: [],
      preparedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(await issuer().afterUnknown(intent)).toEqual({ kind: 'nothing-made' });

    const key = await issuer().create(intent);
    expect(key.accessKeyId).toBe(intent.accessKeyId);
    expect(await canary(key)).toBe('accepted');
    await issuer().disable(key.accessKeyId);
    expect(await canary(key)).toBe('InvalidAccessKeyId');
  });

  it('a key whose secret was lost is found by its name', async () => {
    const { accessKeyId } = await makeAccessKey();
    expect(await issuer().afterUnknown(intentFor(accessKeyId))).toEqual({ kind: 'unused', accessKeyId });
    await issuer().remove(accessKeyId);
    expect(await issuer().afterUnknown(intentFor(accessKeyId))).toEqual({ kind: 'nothing-made' });
  });

  it('making the same key again gives another secret, and the lost one signs no more', async () => {
    const first = await makeAccessKey();
    const second = await issuer().create(intentFor(first.accessKeyId));
    expect(second).toEqual({ accessKeyId: first.accessKeyId, secretAccessKey: expect.any(String) });
    expect(await canary(first)).toBe('SignatureDoesNotMatch');
    expect(await canary(second)).toBe('accepted');
    await issuer().remove(second.accessKeyId);
  });

  it('a key that is gone may be disabled and removed again; no other key is touched', async () => {
    const [gone, kept] = [await makeAccessKey(), await makeAccessKey()];
    for (let times = 0; times < 2; times++) {
      await issuer().disable(gone.accessKeyId);
      await issuer().remove(gone.accessKeyId);
    }
    expect(await canary(kept)).toBe('accepted');
    await issuer().remove(kept.accessKeyId);
  });

  it("a user who is not there is no success: the key may be another's", async () => {
    // Attack: a uid with a slip in it, and the rotation says that the old key is gone.
    const key = await makeAccessKey();
    const wrong = new CephRgwKeyIssuer(OUTGOING, { ...storageAdmin(), uid: 'nobody' });
    const said = ['refused', expect.stringContaining('There is no user "nobody".')];
    expect(await failure(wrong.create(intentFor('CSGNWRONG')))).toEqual(said);
    expect(await failure(wrong.afterUnknown(intentFor('CSGNWRONG')))).toEqual(said);
    expect(await failure(wrong.remove('CSGNGONE'))).toEqual(said);
    // Ceph 16 goes by the name of the key alone then, and takes it away.
    const outcome = await untilKnown(() => wrong.remove(key.accessKeyId)).then(
      () => 'InvalidAccessKeyId',
      () => 'accepted',
    );
    expect(await canary(key)).toBe(outcome);
    await issuer().remove(key.accessKeyId);
  });

  it("another user's key is neither removed nor taken over, and its removal is no success", async () => {
    const other = process.env['STORAGE_KIND'] === 'embedded' ? 'bystander' : 'rig-other';
    const key = await makeAccessKey();
    const wrong = new CephRgwKeyIssuer(OUTGOING, { ...storageAdmin(), uid: other });
    expect(await failure(wrong.remove(key.accessKeyId))).toEqual([
      'refused',
      expect.stringMatching(new RegExp(`belongs to the user "${storageAdmin().uid}" and not to "${other}"`)),
    ]);
    expect(await failure(wrong.create(intentFor(key.accessKeyId)))).toEqual([
      'refused',
      expect.stringContaining('409'),
    ]);
    expect(await canary(key)).toBe('accepted');
    await issuer().remove(key.accessKeyId);
  });

  it.each([
    ['an unknown access key', { accessKeyId: 'NOBODY' }, 'InvalidAccessKeyId'],
    ['a wrong secret', { secretAccessKey: 'guessed' }, 'SignatureDoesNotMatch'],
  ])('%s of its own is refused, and never taken for a key that is gone', async (_what, credential, code) => {
    // Ceph answers the removal of a key that is gone with the same InvalidAccessKeyId.
    const key = await makeAccessKey();
    const wrong = new CephRgwKeyIssuer(OUTGOING, { ...storageAdmin(), ...credential });
    expect(await failure(wrong.remove(key.accessKeyId))).toEqual(['refused', expect.stringContaining(code)]);
    expect(await failure(wrong.create(intentFor('CSGNWRONG')))).toEqual(['refused', expect.stringContaining(code)]);
    await issuer().remove(key.accessKeyId);
  });

  it('a signing key is no admin', async () => {
    const key = await makeAccessKey();
    const wrong = new CephRgwKeyIssuer(OUTGOING, { ...storageAdmin(), ...key });
    expect(await failure(wrong.remove(key.accessKeyId))).toEqual(['refused', expect.stringContaining('users=*')]);
    expect(await canary(key)).toBe('accepted');
    await issuer().remove(key.accessKeyId);
  });

  it('no secret is in a request, whose line stands in access logs', async () => {
    const lines: string[] = [];
    const proxy = http.createServer((request, response) => {
      lines.push(request.url ?? '');
      response.writeHead(503).end();
    });
    const endpoint = await listening(proxy);
    const spied = new CephRgwKeyIssuer(OUTGOING, { ...storageAdmin(), endpoint });
    await failure(spied.create(intentFor('CSGNSPIED')));
    expect(lines).toEqual([
      expect.stringMatching(/^\/admin\/user\?key=&key-type=s3&uid=.*&generate-key=True&format=json$/),
    ]);
    expect(lines.join()).not.toContain('secret-key');
    proxy.close();
  });
});

describe('an endpoint that misbehaves', () => {
  let server: http.Server;
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });
  /** An issuer whose endpoint answers like this. */
  async function against(answer: http.RequestListener): Promise<CephRgwKeyIssuer> {
    server = http.createServer(answer);
    return new CephRgwKeyIssuer(OUTGOING, { ...storageAdmin(), endpoint: await listening(server) }, { timeoutMs: 300 });
  }
  const answering = (status: number, body: string, headers = {}) =>
    against((_request, response) => response.writeHead(status, headers).end(body));

  it.each([
    ['500', 500, '', 'unknown'],
    ['502 of a proxy', 502, '<html>', 'unknown'],
    ['503 of a proxy', 503, 'x', 'unknown'],
    ['503 SlowDown', 503, '{"Code":"SlowDown"}', 'throttled'],
    ['429', 429, '', 'throttled'],
    ['400', 400, '{"Code":"InvalidArgument"}', 'refused'],
    ['a limit', 400, '{"Code":"LimitExceeded"}', 'limit'],
    ['200 without the key', 200, '[]', 'unknown'],
    ['200 with something else', 200, '<html>', 'unknown'],
    ['200 with null', 200, 'null', 'unknown'],
    ['more than a megabyte', 200, `${' '.repeat(1024 * 1024)}[{"access_key":"CSGNX","secret_key":"x"}]`, 'unknown'],
  ])('%s', async (_what, status, body, kind) => {
    expect(await failure((await answering(status, body)).create(intentFor('CSGNX')))).toEqual([
      kind,
      expect.any(String),
    ]);
  });

  it('a redirect is refused and not followed', async () => {
    // Attack: a host outside sends our signed requests, and us, to one inside.
    let followed = 0;
    const inside = http.createServer((_request, response) => response.end(`${++followed}`));
    const location = `${await listening(inside)}/admin/user`;
    const sly = await answering(307, '', { location });
    expect(await failure(sly.create(intentFor('CSGNX')))).toEqual(['refused', expect.stringContaining('307')]);
    expect(await failure(sly.remove('CSGNX'))).toEqual(['refused', expect.stringContaining('another address')]);
    expect(followed).toBe(0);
    inside.close();
  });

  it('one that never answers, drips, or hangs up leaves it open whether the key was made', async () => {
    for (const answer of [
      () => undefined,
      (_request: http.IncomingMessage, response: http.ServerResponse) => void response.writeHead(200).write('['),
      (request: http.IncomingMessage) => void request.destroy(),
    ]) {
      const startedAt = Date.now();
      expect(await failure((await against(answer)).create(intentFor('CSGNX')))).toEqual([
        'unknown',
        expect.any(String),
      ]);
      expect(Date.now() - startedAt).toBeLessThan(2_000);
      server.closeAllConnections();
      server.close();
    }
    await against(() => undefined);
  });

  it('what it says is shown as one short line, and never with a secret', async () => {
    const strange = await answering(400, JSON.stringify({ Code: 'x\r\ny', Message: storageAdmin().secretAccessKey }));
    const [, words] = await failure(strange.create(intentFor('CSGNX')));
    expect(words).toBe('The gateway refused to make the key CSGNX: 400.');
  });
});

async function listening(server: http.Server): Promise<string> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
