import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { callCephAdmin } from '../../../libs/signing-keys/src/key-issuers/ceph-admin.js';
import { storeBucket } from '../../support/installation.js';
import { makeAccessKey, storageAdmin } from '../../support/storage-keys.js';
import { OUTGOING } from '../../support/outgoing.js';

type Method = 'get' | 'post' | 'patch';

/** What the day does, as an administrator; answers are the bodies. */
interface Acts {
  mark: (name: string, value?: string) => string;
  call: (method: Method, path: string, status: number, body?: object) => Promise<Record<string, unknown>>;
}

/** Keys are changed by a store that is well, and by ones that say again whatever they were sent, in every place that is shown. */
export async function rotateKeys(acts: Acts): Promise<void> {
  await rotateAtStore(acts);
  const server = http.createServer(echo(acts));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  await rotateAtEcho(acts, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  server.closeAllConnections();
  server.close();
  for (const path of ['/signing-keys', '/rotations', '/buckets']) await acts.call('get', path, 200);
}

async function rotateAtStore({ mark, call }: Acts): Promise<void> {
  const { uid, ...admin } = storageAdmin();
  mark('administrative secret', admin.secretAccessKey);
  const credentials = await makeAccessKey();
  mark('storage secret', credentials.secretAccessKey);
  await call('post', '/buckets', 201, { ...storeBucket(), name: 'rotated', credentials });
  await call('patch', '/buckets/rotated', 200, { keyIssuer: { type: 'ceph-rgw', uid, ...admin } });
  const ended = await rotate({ mark, call }, { bucket: 'rotated', mode: 'immediate' }, 'done');

  const { body } = await callCephAdmin(OUTGOING, admin, 'GET', { uid }, AbortSignal.timeout(10_000));
  const { keys } = JSON.parse(body.toString()) as { keys: { access_key: string; secret_key: string }[] };
  const made = keys.find(({ access_key: name }) => JSON.stringify(ended).includes(name));
  if (!made) throw new Error('no key was made');
  mark('storage secret', made.secret_key);
}

async function rotateAtEcho({ mark, call }: Acts, endpoint: string): Promise<void> {
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const credential = () => ({
    accessKeyId: `MARKEDKEY${Math.random().toString(36).slice(2, 8).toUpperCase()}`,
    secretAccessKey: mark('storage secret'),
    sessionToken: mark('session token'),
    expiresAt,
  });
  await call('post', '/buckets', 201, { ...storeBucket(), name: 'echo', endpoint, credentials: credential() });
  const rotation = { bucket: 'echo', mode: 'graceful' };
  const stuck = await rotate({ mark, call }, { ...rotation, credential: credential() }, 'needs-operator');
  const wrong = { ...credential(), secretAccessKey: [mark('wrong type')] };
  await call('post', `/rotations/${String(stuck['id'])}/retry`, 400, { credential: wrong });

  await call('post', '/buckets', 201, { ...storeBucket(), name: 'echo-iam', endpoint, credentials: credential() });
  const { expiresAt: _, ...administrator } = credential();
  const keyIssuer = { type: 'aws-iam', userName: 'signer', endpoint, ...administrator };
  await call('patch', '/buckets/echo-iam', 200, { keyIssuer });
  const failed = await rotate({ mark, call }, { bucket: 'echo-iam', mode: 'immediate' }, 'needs-operator');
  if (!JSON.stringify(failed).includes('You sent')) throw new Error('the echo was not heard');
}

/** Until it is in this state. */
async function rotate({ call }: Acts, wish: object, state: string): Promise<Record<string, unknown>> {
  const { id } = await call('post', '/rotations', 202, { ...wish, reason: 'a test' });
  for (let tries = 0; tries < 200; tries++) {
    const rotation = await call('get', `/rotations/${String(id)}`, 200);
    if (rotation['state'] === state) return rotation;
    await sleep(100);
  }
  throw new Error(`The rotation was never ${state}.`);
}

/** Answers a URL with its own signature in place of a code, then with a code that ends the matter; a call of IAM's with its headers. */
function echo({ mark }: Acts): http.RequestListener {
  let urls = 0;
  return (request, response) => {
    const { authorization, 'x-amz-security-token': token, host } = request.headers;
    const query = new URL(request.url ?? '', `http://${host}`).searchParams;
    const signature = query.get('X-Amz-Signature') ?? authorization?.slice(-64);
    mark('signature', signature);
    const isFirst = authorization === undefined && urls++ === 0;
    const code = isFirst ? signature : 'SignatureDoesNotMatch';
    const sent = [token, signature, query.get('X-Amz-Security-Token'), query].join(' ');
    const error = `<Error><Code>${code}</Code><Message>You sent ${sent.replaceAll('&', '&amp;')}</Message></Error>`;
    response.writeHead(403, { 'content-type': 'text/xml' });
    response.end(authorization === undefined ? error : `<ErrorResponse>${error}</ErrorResponse>`);
  };
}
