import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { AccessKeys } from './access-keys.js';
import type { RequestTarget } from './request-target.js';
import { S3Error } from './s3-error.js';

/** What of Ceph's Admin Ops API this store has: the names of the parameters that each call takes, besides `format`. */
const PARAMETERS: Record<string, string[]> = {
  GET: ['uid', 'access-key'],
  PUT: ['key', 'key-type', 'uid', 'access-key', 'secret-key', 'generate-key'],
  DELETE: ['key', 'key-type', 'uid', 'access-key'],
};

/** S3 has nothing here: the whole of `/admin` is this API's, as it is at Ceph. */
export function isAdminTarget({ bucket }: RequestTarget): boolean {
  return bucket === 'admin';
}

/**
 * Answers what the admin asked, as Ceph RGW was seen to answer it
 * (https://docs.ceph.com/en/latest/radosgw/adminops/): a user's access keys are read, made and taken away.
 */
export async function answerAdmin(
  method: string,
  { path, query }: RequestTarget,
  keys: AccessKeys,
  response: ServerResponse,
): Promise<void> {
  const understood = PARAMETERS[method];
  if (path !== '/admin/user' || !understood) {
    throw new S3Error('NotImplemented', 'Of the Admin Ops API there are a user and its access keys, and nothing else.');
  }
  const strange = [...query.keys()].find((name) => name !== 'format' && !understood.includes(name));
  const isPlain = (query.get('format') ?? 'json') === 'json' && (query.get('key-type') ?? 's3') === 's3';
  if (strange !== undefined || !isPlain) throw invalid(`${strange ?? 'format or key-type'} is not understood here.`);

  if (method === 'GET') return send(response, userOf(query, keys));
  if (query.get('key') !== '') throw invalid('Only keys can be made and taken away.');
  const uid = required(query, 'uid');
  const accessKeyId = required(query, 'access-key');
  if (method === 'DELETE') {
    await keys.remove(uid, accessKeyId);
    return send(response);
  }
  await keys.put({ uid, accessKeyId: checked(accessKeyId), secretAccessKey: secretFrom(query) });
  send(response, keysOf(uid, keys));
}

/** With neither name Ceph answers 400; a key that nobody has is AccessDenied there, and with both names the uid counts. */
function userOf(query: ReadonlyMap<string, string>, keys: AccessKeys): object {
  const uid = query.get('uid') ?? keys.ownerOf(required(query, 'access-key'));
  if (uid === undefined) throw new S3Error('AccessDenied', 'No user has this key.');
  return { user_id: uid, keys: keysOf(uid, keys) };
}

function keysOf(uid: string, keys: AccessKeys): object[] {
  return keys
    .keysOf(uid)
    .map(({ accessKeyId, secretAccessKey }) => ({ user: uid, access_key: accessKeyId, secret_key: secretAccessKey }));
}

/** Made here unless one is given. */
function secretFrom(query: ReadonlyMap<string, string>): string {
  const given = query.get('secret-key');
  if (given === undefined && query.get('generate-key') !== 'False') return randomBytes(30).toString('base64url');
  if (given === undefined || !/^[\x20-\x7e]{1,128}$/.test(given)) throw invalid('secret-key is missing or malformed.');
  return given;
}

/** A slash would be read as the end of the name, in the signature's credential scope. */
function checked(accessKeyId: string): string {
  if (/^\w{3,128}$/.test(accessKeyId)) return accessKeyId;
  throw invalid('access-key must be 3 to 128 letters, digits or underscores.');
}

function required(query: ReadonlyMap<string, string>, name: string): string {
  const value = query.get(name);
  if (value) return value;
  throw invalid(`${name} is missing.`);
}

function send(response: ServerResponse, answer?: object): void {
  const body = answer === undefined ? '' : JSON.stringify(answer);
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }).end(body);
}

function invalid(message: string): S3Error {
  return new S3Error('InvalidArgument', message);
}
