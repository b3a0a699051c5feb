// Against an IAM stand-in whose keys open and close access at the run's store.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CreationIntent, IssuedKey } from '@countersign/signing-keys';
import {
  AwsIamKeyIssuer,
  type AwsIamOptions,
  type AwsIamSettings,
} from '../../../libs/signing-keys/src/key-issuers/aws-iam-key-issuer.js';
import { IAM_ADMIN, IamStandIn } from '../../support/iam-stand-in.js';
import { makeAccessKey, storageAdmin } from '../../support/storage-keys.js';
import { canary } from './canary.js';
import { failure } from './failure.js';
import { OUTGOING } from '../../support/outgoing.js';

let iam: IamStandIn;
let old: IssuedKey;
beforeEach(async () => {
  iam = await IamStandIn.start(storageAdmin(), storageAdmin().uid);
  old = await makeAccessKey();
  iam.users.add('signer', old);
});
afterEach(() => iam.close());

const issuer = (settings: Partial<AwsIamSettings> = {}, options: AwsIamOptions = {}) =>
  new AwsIamKeyIssuer(
    OUTGOING,
    { ...IAM_ADMIN, userName: 'signer', endpoint: iam.endpoint, ...settings },
    { timeoutMs: 5_000, settleMs: 0, ...options },
  );

/** It does not wait long for what never comes. */
const impatient = () => issuer({}, { timeoutMs: 400 });

const namesOf = (userName: string) => iam.users.of(userName).map(({ accessKeyId }) => accessKeyId);
const [oneKnown, noneKnown] = [() => [old.accessKeyId], () => []];

describe('the usual course', () => {
  it('what was there before is on record, then a key is made, signs, is disabled and deleted', async () => {
    const intent = await issuer().prepare();
    expect(intent).toEqual({ accessKeyId: null, knownAccessKeyIds: [old.accessKeyId], preparedAt: expect.any(String) });
    expect(Math.abs(Date.parse(intent.preparedAt) - Date.now())).toBeLessThan(3_000);

    const key = await issuer().create();
    expect(await canary(key)).toBe('accepted');
    await issuer().disable(key.accessKeyId);
    expect(await canary(key)).toBe('InvalidAccessKeyId');
    expect(iam.users.find(key.accessKeyId).status).toBe('Inactive');
    await issuer().remove(key.accessKeyId);
    expect(namesOf('signer')).toEqual([old.accessKeyId]);
    expect(await canary(old)).toBe('accepted');
  });

  it('every page of a list counts', async () => {
    const second = await issuer().create();
    iam.pageSize = 1;
    const { knownAccessKeyIds } = await issuer().prepare();
    expect(knownAccessKeyIds).toEqual([old.accessKeyId, second.accessKeyId]);
  });

  it('a key that is gone may be disabled and deleted again; no other key is touched', async () => {
    const key = await issuer().create();
    for (let times = 0; times < 2; times++) {
      await issuer().remove(key.accessKeyId);
      await issuer().disable(key.accessKeyId);
    }
    expect(iam.deleted).toEqual([key.accessKeyId]);
    expect(await canary(old)).toBe('accepted');
  });

  it('a session token goes with each call', async () => {
    const tokens: unknown[] = [];
    const server = http.createServer((request, response) => {
      tokens.push(request.headers['x-amz-security-token']);
      response.writeHead(403).end();
    });
    await failure(issuer({ sessionToken: 'the token', endpoint: await listening(server) }).create());
    expect(tokens).toEqual(['the token']);
    server.close();
  });
});

describe('a third key', () => {
  it('is refused with the names of those that are there', async () => {
    const { accessKeyId } = await issuer().create();
    const [kind, words] = await failure(issuer().create());
    expect(kind).toBe('limit');
    for (const name of [old.accessKeyId, accessKeyId]) expect(words).toContain(name);
    expect(words).toContain('Delete the one that nobody uses');
    expect(iam.deleted).toEqual([]);
  });

  it('is refused where their names cannot be had', async () => {
    await issuer().create();
    iam.script('ListAccessKeys', 'throttled');
    expect(await failure(issuer().create())).toEqual(['limit', expect.stringContaining('as many access keys')]);
  });
});

describe('how a call fails', () => {
  it.each([
    ['throttled', 'throttled', 0],
    ['denied', 'refused', 0],
    ['unavailable', 'unknown', 0],
    ['unavailable-but-done', 'unknown', 1],
    ['silent', 'unknown', 0],
    ['silent-but-done', 'unknown', 1],
    ['broken', 'unknown', 0],
    ['broken-but-done', 'unknown', 1],
    ['late', 'unknown', 1],
  ] as const)('making a key, %s: %s, and it is asked for once', async (fault, kind, made) => {
    iam.script('CreateAccessKey', fault);
    const startedAt = Date.now();
    expect(await failure(impatient().create())).toEqual([kind, expect.any(String)]);
    expect(Date.now() - startedAt).toBeLessThan(2_000);
    await sleep(100);
    expect(iam.calls.map(({ action }) => action)).toEqual(['CreateAccessKey']);
    expect(namesOf('signer')).toHaveLength(1 + made);
  });

  it.each([
    ['throttled', 'throttled'],
    ['denied', 'refused'],
    ['silent-but-done', 'unknown'],
    ['broken', 'unknown'],
  ] as const)('disabling, deleting and listing, %s: %s', async (fault, kind) => {
    for (const action of ['UpdateAccessKey', 'DeleteAccessKey', 'ListAccessKeys'] as const) iam.script(action, fault);
    expect(await failure(impatient().disable(old.accessKeyId))).toEqual([kind, expect.any(String)]);
    expect(await failure(impatient().remove(old.accessKeyId))).toEqual([kind, expect.any(String)]);
    expect(await failure(impatient().prepare())).toEqual([kind, expect.any(String)]);
  });

  it('a credential that IAM does not know is refused, and never taken for a key that is gone', async () => {
    const stranger = issuer({ accessKeyId: 'AKIASTRANGER' });
    const said = ['refused', expect.stringContaining('InvalidClientTokenId')];
    expect(await failure(stranger.remove(old.accessKeyId))).toEqual(said);
    expect(await failure(stranger.create())).toEqual(said);
  });

  it('a user who is not there is no success', async () => {
    // Attack: a user name with a slip in it, and the rotation says that the old key is gone.
    const wrong = issuer({ userName: 'singer' });
    const said = ['refused', expect.stringContaining('There is no such user.')];
    expect(await failure(wrong.create())).toEqual(said);
    expect(await failure(wrong.disable(old.accessKeyId))).toEqual(said);
    expect(await failure(wrong.remove(old.accessKeyId))).toEqual(said);
    expect(await canary(old)).toBe('accepted');
  });

  it("another user's key is not deleted, and its deletion is no success", async () => {
    iam.users.add('somebody');
    const wrong = issuer({ userName: 'somebody' });
    const said = ['refused', expect.stringContaining('belongs to the user "signer" and not to "somebody"')];
    expect(await failure(wrong.disable(old.accessKeyId))).toEqual(said);
    expect(await failure(wrong.remove(old.accessKeyId))).toEqual(said);
    expect(iam.deleted).toEqual([]);
    expect(await canary(old)).toBe('accepted');
  });

  it('a key that IAM denies and lists at once is not taken for gone', async () => {
    iam.users.lag.unlistedMs = 60_000;
    await issuer().remove(old.accessKeyId);
    expect(await failure(issuer().remove(old.accessKeyId))).toEqual(['unknown', expect.stringContaining('lists it')]);
  });

  it('a redirect, a flood and what is no XML are failures', async () => {
    // Attack: a host outside sends our signed requests, and us, to one inside; or fills our memory.
    let followed = 0;
    const inside = http.createServer((_request, response) => response.end(`${++followed}`));
    const location = await listening(inside);
    const answers: [string, http.RequestListener][] = [
      ['refused', (_request, response) => response.writeHead(307, { location }).end()],
      ['unknown', (_request, response) => response.writeHead(200).end(' '.repeat(1024 * 1024 + 1))],
      ['unknown', (_request, response) => response.writeHead(200).end('{}')],
      ['unknown', (_request, response) => response.writeHead(200).end('<CreateAccessKeyResponse/>')],
      ['unknown', (_request, response) => response.writeHead(502).end('<html>')],
    ];
    for (const [kind, answer] of answers) {
      const server = http.createServer(answer);
      expect(await failure(issuer({ endpoint: await listening(server) }).create())).toEqual([kind, expect.any(String)]);
      server.closeAllConnections();
      server.close();
    }
    expect(followed).toBe(0);
    inside.close();
  });

  it('no secret is in any words', async () => {
    const { secretAccessKey } = await issuer().create();
    iam.script('ListAccessKeys', 'denied', 'unavailable', 'throttled');
    for (const attempt of [() => issuer().create(), () => issuer().prepare(), () => issuer().prepare()]) {
      const [, words] = await failure(attempt());
      for (const secret of [secretAccessKey, old.secretAccessKey, IAM_ADMIN.secretAccessKey, 'Signature='])
        expect(words).not.toContain(secret);
    }
  });

  it('nor is one that IAM says again: the canonical request of a wrong signature has the session’s token in it', async () => {
    const server = http.createServer((request, response) => {
      const { 'x-amz-security-token': token, authorization: signed = '' } = request.headers;
      const sent = `${String(token)} ${signed.slice(-64)}`;
      const message = `The Canonical String for this request should have been ${sent}`;
      response.writeHead(403, { 'content-type': 'text/xml' });
      response.end(
        `<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>${message}</Message></Error></ErrorResponse>`,
      );
    });
    const sessionToken = 'FwoGZXIvYXdzEBYaD+the/token==';
    const [kind, words] = await failure(issuer({ endpoint: await listening(server), sessionToken }).prepare());
    server.closeAllConnections();
    server.close();
    expect([kind, words]).toEqual(['refused', expect.stringContaining('The Canonical String')]);
    expect(words).not.toContain(sessionToken);
    expect(words).not.toMatch(/[0-9a-f]{64}/);
  });
});

describe('after an attempt of unknown outcome', () => {
  const cases = [
    ['one key before', oneKnown],
    ['none before', noneKnown],
  ] as const;

  describe.each(cases)('%s', (_what, known) => {
    let intent: CreationIntent;
    beforeEach(async () => {
      if (known().length === 0) await issuer().remove(old.accessKeyId);
      intent = await issuer().prepare();
      expect(intent.knownAccessKeyIds).toEqual(known());
    });
    const made = () => namesOf('signer').find((name) => name !== old.accessKeyId) ?? '';

    it.each(['silent-but-done', 'broken-but-done', 'unavailable-but-done', 'late'] as const)(
      '%s: it is found by what is new',
      async (fault) => {
        iam.script('CreateAccessKey', fault);
        await failure(impatient().create());
        await sleep(100);
        expect(await issuer().afterUnknown(intent)).toEqual({ kind: 'unused', accessKeyId: made() });
      },
    );

    it.each(['silent', 'broken', 'unavailable'] as const)('%s: nothing was made', async (fault) => {
      iam.script('CreateAccessKey', fault);
      await failure(impatient().create());
      expect(await issuer().afterUnknown(intent)).toEqual({ kind: 'nothing-made' });
    });

    it('a list that does not show it yet is not believed until it must', async () => {
      // Attack: the list is behind, the key is taken for not made, and another one is made beside it.
      iam.users.lag.listedMs = 300;
      iam.script('CreateAccessKey', 'silent-but-done');
      await failure(issuer({}, { timeoutMs: 100 }).create());
      expect(await issuer({}, { settleMs: 30_000 }).afterUnknown(intent)).toEqual({ kind: 'wait' });
      await sleep(300);
      expect(await issuer().afterUnknown(intent)).toEqual({ kind: 'unused', accessKeyId: made() });
    });

    it('a key that signs is never taken for the lost one', async () => {
      // Attack: somebody makes a key of this user by hand at that moment, and puts it to use.
      const { accessKeyId } = await issuer().create();
      iam.users.find(accessKeyId).usedAt = Date.now();
      expect(await issuer().afterUnknown(intent)).toEqual({ kind: 'unclear', accessKeyIds: [accessKeyId] });
    });

    it('a key of before, that the list had hidden, is not ours', async () => {
      iam.users.add('signer', await makeAccessKey());
      expect(await issuer().afterUnknown(intent)).toEqual({ kind: 'nothing-made' });
    });

    it('a key that is only seconds older is nobody knows whose', async () => {
      const { accessKeyId } = await issuer().create();
      iam.users.find(accessKeyId).createdAt = Date.parse(intent.preparedAt) - 5_000;
      expect(await issuer().afterUnknown(intent)).toEqual({ kind: 'unclear', accessKeyIds: [accessKeyId] });
    });

    it.each([
      ['minutes later than any attempt of ours: nobody knows whose', 120_000, 'unclear'],
      ['an hour later: it is not ours', 3_600_000, 'nothing-made'],
    ])('a key that was made %s', async (_, laterMs, kind) => {
      // Attack on somebody else: what an attempt left is looked for days later, and a key is there that is new and not used yet.
      await issuer().create();
      const preparedAt = new Date(Date.parse(intent.preparedAt) - laterMs).toISOString();
      expect(await issuer().afterUnknown({ ...intent, preparedAt })).toMatchObject({ kind });
    });

    it('a key that was taken away, and is listed still, is asked after again', async () => {
      iam.users.lag.unlistedMs = 300;
      const { accessKeyId } = await issuer().create();
      await issuer().remove(accessKeyId);
      expect(await issuer().afterUnknown(intent)).toEqual({ kind: 'wait' });
      await sleep(300);
      expect(await issuer().afterUnknown(intent)).toEqual({ kind: 'nothing-made' });
    });

    it('a key of ours that the intent names is not the lost one', async () => {
      const { accessKeyId } = await issuer().create();
      const knownAccessKeyIds = [...intent.knownAccessKeyIds, accessKeyId];
      expect(await issuer().afterUnknown({ ...intent, knownAccessKeyIds })).toEqual({ kind: 'nothing-made' });
    });
  });

  it('of two new keys, none is taken for ours', async () => {
    await issuer().remove(old.accessKeyId);
    const intent = await issuer().prepare();
    const two = [await issuer().create(), await issuer().create()].map(({ accessKeyId }) => accessKeyId);
    expect(await issuer().afterUnknown(intent)).toEqual({ kind: 'unclear', accessKeyIds: two });
    expect(iam.deleted).toEqual([old.accessKeyId]);
  });

  it('a user with two keys hides none, so nobody waits', async () => {
    const intent = await issuer().prepare();
    const { accessKeyId } = await issuer().create();
    const patient = issuer({}, { settleMs: 30_000 });
    expect(await patient.afterUnknown(intent)).toEqual({ kind: 'unused', accessKeyId });
  });

  it('a list of before the attempt shows nothing, and is not the last word', async () => {
    const intent = await issuer().prepare();
    await issuer().create();
    iam.script('ListAccessKeys', { staleMs: 60_000 });
    expect(await issuer({}, { settleMs: 30_000 }).afterUnknown(intent)).toEqual({ kind: 'wait' });
  });
});

describe('the stand-in', () => {
  it('lets a new key sign late, and a disabled one a while longer', async () => {
    Object.assign(iam.users.lag, { usableMs: 200, deadMs: 200 });
    const key = await issuer().create();
    expect(await canary(key)).toBe('InvalidAccessKeyId');
    await sleep(400);
    expect(await canary(key)).toBe('accepted');
    await issuer().disable(key.accessKeyId);
    expect(await canary(key)).toBe('accepted');
    await sleep(400);
    expect(await canary(key)).toBe('InvalidAccessKeyId');
  });

  it('never lets a key sign that was cut off before it could', async () => {
    iam.users.lag.usableMs = 150;
    const key = await issuer().create();
    await issuer().disable(key.accessKeyId);
    await sleep(300);
    expect(await canary(key)).toBe('InvalidAccessKeyId');
  });
});

async function listening(server: http.Server): Promise<string> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
