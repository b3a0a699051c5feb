import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import jwt from 'jsonwebtoken';
import request, { type Response } from 'supertest';
import { runBuilt, startBuiltApi } from '../../support/built-program.js';
import type { FreshDatabase } from '../../support/fresh-database.js';
import { createTenant, storeBucket } from '../../support/installation.js';
import { rotateKeys } from './rotate-keys.js';

/** All that a day brings, done to the built programs in processes of their own: what they printed, and what nobody should find there. */
export interface Day {
  printed: string;
  /** The bodies of all answers, without the URLs and form fields that were issued. */
  answered: string;
  /** What /metrics says at the end. */
  metrics: string;
  /** Named, so that a failure says which one without showing it. */
  secrets: Map<string, string>;
  /** Keys of objects, and others' words that are no secrets but none of the log's business either. */
  keys: string[];
  /** Of every answer. */
  requestIds: string[];
}

const secret = (): string => `marked+${randomBytes(24).toString('base64url')}/`;
const bearer = { type: 'bearer' } as const;

export async function liveThroughADay(database: FreshDatabase): Promise<Day> {
  const day: Day = { printed: '', answered: '', metrics: '', secrets: new Map(), keys: [], requestIds: [] };
  const mark = (name: string, value = secret()): string => {
    day.secrets.set(`${name} ${day.secrets.size}`, value);
    return value;
  };
  const heard = ({ headers, body }: Response): Record<string, unknown> => {
    if (headers['x-request-id'] !== undefined) day.requestIds.push(headers['x-request-id']);
    const kept = (name: string, value: unknown) => {
      if (name === 'url') signaturesIn(String(value)).forEach((signature) => mark('signature', signature));
      if (name === 'fields') mark('signature', (value as Record<string, string>)['x-amz-signature']);
      return name === 'url' || name === 'fields' ? undefined : value;
    };
    day.answered += `${JSON.stringify(body, kept)}\n`;
    return body as Record<string, unknown>;
  };

  for (const url of [database.ownerUrl, ...Object.values(database.env)])
    mark('database password', new URL(url).password);
  const encryptionKey = mark('encryption key', randomBytes(32).toString('base64'));
  const metricsToken = mark('metrics token', randomBytes(24).toString('base64url'));
  const env = {
    ...database.env,
    NODE_ENV: 'test',
    LOG_LEVEL: 'debug',
    ENCRYPTION_KEYS: `1:${encryptionKey}`,
    METRICS_TOKEN: metricsToken,
  };

  const platform = await beginPlatform(database, (run) => (day.printed += run.stdout + run.stderr));
  const operator = mark('token', platform.token);
  const api = await startBuiltApi(env);
  const client = request(api.url);
  const tenant = await createTenant(client, operator);
  const alice = mark('token', tenant.token('alice'));
  mark('token', tenant.admin);
  mark('storage secret', process.env['STORAGE_SECRET_ACCESS_KEY'] ?? '');
  await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });

  try {
    await doMainJob();
    await liveThroughUploads();
    await registerBuckets();
    await nameKeyIssuers();
    await rotateKeys({ mark, call });
    await presentBadTokens();
    await sendBadRequests();
    day.metrics = (await client.get('/metrics').auth(metricsToken, bearer).expect(200)).text;
    await client.get('/audit-events').auth(mark('token', tenant.auditor), bearer).expect(200).then(heard);
  } finally {
    await api.stop();
  }
  day.printed += api.printed();
  await failInside();
  return day;

  async function ask(path: string, body: object, status: number, token = alice): Promise<Record<string, unknown>> {
    return heard(await client.post(path).auth(token, bearer).send(body).expect(status));
  }

  async function call(method: 'get' | 'post' | 'patch', path: string, status: number, body?: object) {
    return heard(await client[method](path).auth(tenant.admin, bearer).send(body).expect(status));
  }

  function newKey(): string {
    const key = `users/alice/${randomBytes(12).toString('hex')}.txt`;
    day.keys.push(key);
    return key;
  }

  async function doMainJob(): Promise<void> {
    const key = newKey();
    const upload = { bucket: 'files', key, contentType: 'text/plain', contentLength: 5 };
    const put = await ask('/upload-url', upload, 201);
    await fetch(String(put['url']), {
      method: 'PUT',
      headers: put['headers'] as Record<string, string>,
      body: 'hello',
    });
    const get = await ask('/download-url', { bucket: 'files', key, filename: 'hello.txt' }, 201);
    if ((await (await fetch(String(get['url']))).text()) !== 'hello') throw new Error('the main job failed');
    await ask('/download-url', { bucket: 'files', key: newKey().replace('alice', 'bob') }, 403);
    await ask('/download-url', { bucket: 'none', key: newKey() }, 404);
    await ask('/upload-url', { ...upload, expiresInSeconds: 86_400 }, 422);
  }

  /** An upload in one piece that is verified, one in parts, one that is not what was promised, and many at once. */
  async function liveThroughUploads(): Promise<void> {
    const wanted = { bucket: 'files', contentType: 'application/octet-stream' };
    const put = await ask('/upload-url', { ...wanted, key: newKey(), contentLength: 5 }, 201);
    const completion = `/uploads/${String(put['uploadId'])}/completion`;
    await ask(completion, {}, 409);
    await fetch(String(put['url']), {
      method: 'PUT',
      headers: put['headers'] as Record<string, string>,
      body: 'hello',
    });
    await ask(completion, {}, 200);
    const inParts = { ...wanted, key: newKey(), mode: 'multipart', contentLength: 6 * 1024 ** 2 };
    const { uploadId } = await ask('/upload-url', inParts, 201);
    const { parts } = (await ask(`/uploads/${String(uploadId)}/parts`, { partNumbers: [1] }, 200)) as {
      parts: { url: string }[];
    };
    await fetch(parts[0]?.url ?? '', { method: 'PUT', body: 'too short' });
    await ask(`/uploads/${String(uploadId)}/completion`, {}, 409);
    await ask('/download-urls', { items: [1, 2, 3].map(() => ({ bucket: 'files', key: newKey() })) }, 200);
    await ask('/upload-urls', { items: [{ ...wanted, key: newKey(), contentLength: 1 }, { key: mark('item') }] }, 200);
  }

  async function registerBuckets(): Promise<void> {
    const credentials = {
      accessKeyId: 'MARKEDKEY0001',
      secretAccessKey: mark('storage secret'),
      sessionToken: mark('session token'),
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    };
    const bucket = { ...storeBucket(), name: 'marked', credentials };
    const asAdmin = (body: object, status: number) => ask('/buckets', body, status, tenant.admin);
    await asAdmin(bucket, 201);
    await asAdmin(bucket, 409);
    await asAdmin({ ...bucket, credentials: { ...credentials, note: mark('unknown field') } }, 400);
    await asAdmin({ ...bucket, credentials: { ...credentials, secretAccessKey: [mark('wrong type')] } }, 400);
    await asAdmin({ ...bucket, endpoint: `https://user:${mark('password in a URL')}@s3.example.com` }, 400);
    await asAdmin({ ...bucket, credentials: mark('no object') }, 400);
    await tenant.grant({ subject: { type: 'everyone' }, bucket: 'marked', prefix: '' });
    const issued = await ask('/download-url', { bucket: 'marked', key: newKey() }, 201);
    if (!String(issued['url']).includes('X-Amz-Security-Token=')) throw new Error('the session token was not used');
  }

  async function nameKeyIssuers(): Promise<void> {
    const keyIssuer = {
      type: 'aws-iam',
      userName: 'signer',
      accessKeyId: 'MARKEDADMIN0001',
      secretAccessKey: mark('administrative secret'),
      sessionToken: mark('session token'),
    };
    const change = async (body: object, status: number) =>
      heard(await client.patch('/buckets/marked').auth(tenant.admin, bearer).send(body).expect(status));
    await change({ keyIssuer }, 200);
    await change({ keyIssuer: { ...keyIssuer, uid: mark('unknown field') } }, 400);
    await change({ keyIssuer: { ...keyIssuer, secretAccessKey: { is: mark('wrong type') } } }, 400);
    await change({ keyIssuer: { ...keyIssuer, endpoint: `https://user:${mark('password in a URL')}@iam.test` } }, 400);
    // Of the URLs that it makes, no signature is told.
    await ask('/buckets/files/check', {}, 200, tenant.admin);
  }

  async function presentBadTokens(): Promise<void> {
    const [header, claims] = alice.split('.');
    const bad = [
      tenant.token('alice', undefined, { exp: 1 }),
      tenant.token('alice', undefined, { aud: 'another' }),
      `${header}.${claims}.${createHmac('sha256', 'x').update('y').digest('base64url')}`,
      jwt.sign({ iss: tenant.issuer, aud: 'countersign', sub: 'alice', scope: 'read:objects' }, 'a-shared-secret'),
      randomBytes(24).toString('base64url'),
    ];
    for (const token of bad)
      await ask('/download-url', { bucket: 'files', key: newKey() }, 401, mark('bad token', token));
    heard(await client.get('/grants').auth('root', mark('password')).expect(401));
    heard(
      await client
        .get('/metrics')
        .auth(mark('bad token', randomBytes(24).toString('base64url')), bearer)
        .expect(401),
    );
    heard(
      await client
        .get('/grants')
        .set('Cookie', `session=${mark('cookie')}`)
        .expect(401),
    );
  }

  async function sendBadRequests(): Promise<void> {
    const post = () => client.post('/buckets').auth(tenant.admin, bearer);
    const json = 'application/json';
    heard(
      await post()
        .type(json)
        .send(`{"secretAccessKey": "${mark('broken JSON')}`)
        .expect(400),
    );
    heard(await post().type('text/plain').send(mark('text')).expect(415));
    heard(
      await post()
        .type(json)
        .send(JSON.stringify(mark('large').repeat(2_000)))
        .expect(413),
    );
    heard(
      await client
        .get(`/nothing/${mark('path')}`)
        .query({ access_token: mark('query') })
        .expect(404),
    );
    heard(
      await client
        .get('/grants')
        .query({ access_token: mark('query', alice.slice(0, -5)) })
        .expect(401),
    );
    heard(
      await client
        .get('/grants')
        .auth(tenant.admin, bearer)
        .query({ surprise: mark('query') })
        .expect(400),
    );
    heard(
      await client
        .get('/grants')
        .auth(tenant.admin, bearer)
        .query({ cursor: mark('query') })
        .expect(400),
    );
    heard(await client.get(`/grants/%zz${mark('path')}`).auth(tenant.admin, bearer));
    await hangUp(api.url, alice, { bucket: 'files', key: newKey(), contentType: 'text/plain', contentLength: 1 });
    await sendRaw(
      api.url,
      `GET /${mark('raw')}\u0000 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${mark('raw')}\r\n\r\n`,
    );
    await sendRaw(api.url, `GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${mark('raw').repeat(1_000)}\r\n\r\n`);
  }

  /** Faults of ours, whose causes are logged: keys that open nothing, and a database that is not there. */
  async function failInside(): Promise<void> {
    const otherKey = { ...env, ENCRYPTION_KEYS: `2:${mark('encryption key', randomBytes(32).toString('base64'))}` };
    const gone = Object.entries(database.env).map(([name, url]) => [
      name,
      Object.assign(new URL(url), { port: '1' }).href,
    ]);
    for (const broken of [otherKey, { ...env, ...(Object.fromEntries(gone) as typeof database.env) }]) {
      const failing = await startBuiltApi(broken);
      const post = request(failing.url).post('/download-url').auth(alice, bearer);
      heard(await post.send({ bucket: 'files', key: newKey() }).expect(503));
      heard(await request(failing.url).get('/readyz'));
      await failing.stop();
      day.printed += failing.printed();
    }
  }
}

const signaturesIn = (url: string): string[] => /X-Amz-Signature=([0-9a-f]{64})/.exec(url)?.slice(1) ?? [];

/** By the programs that an installation begins with. */
async function beginPlatform(database: FreshDatabase, heard: (run: { stdout: string; stderr: string }) => void) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'platform', alg: 'ES256' }] };
  const env = { ...database.env, DATABASE_URL: database.ownerUrl };
  heard(await runBuilt('dist/apps/migrate/src/main.js', [], env));
  const who = ['--tenant', 'platform', '--issuer', 'https://platform.example.com', '--audience', 'countersign'];
  const init = 'dist/apps/api/src/platform-init/main.js';
  heard(await runBuilt(init, [...who, '--jwks', '-'], env, JSON.stringify(jwks)));
  heard(
    await runBuilt(
      init,
      [...who, '--jwks', '-'],
      { ...env, DATABASE_OPERATOR_URL: broken(env.DATABASE_OPERATOR_URL) },
      JSON.stringify(jwks),
    ),
  );
  const claims = { iss: 'https://platform.example.com', aud: 'countersign', sub: 'root', scope: 'admin:platform' };
  return { token: jwt.sign(claims, privateKey, { algorithm: 'ES256', keyid: 'platform', expiresIn: '1h' }) };
}

const broken = (url: string): string => Object.assign(new URL(url), { pathname: '/nowhere' }).href;

/** Asks for a URL, and does not wait for it. */
async function hangUp(url: string, token: string, wish: object): Promise<void> {
  const body = JSON.stringify(wish);
  const head = `POST /upload-url HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(`${head}\r\nAuthorization: Bearer ${token}\r\n\r\n${body}`, () => socket.destroy());
  await once(socket, 'close');
}

/** What no HTTP library would send. */
async function sendRaw(url: string, text: string): Promise<void> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(text, 'latin1');
  socket.resume();
  await once(socket, 'close');
}
