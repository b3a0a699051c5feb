// What "bare" and "coalesced" share: node:http, a token verified, one SELECT, a row recorded before the answer, a hand-made signature.
// Nothing is validated and nothing else is refused: it is the least that could be called the same work.
import http from 'node:http';
import { connect } from './connections.mjs';
import { Signer } from './sigv4.mjs';
import { APPEND_BATCH, batchValues, ledgerRow, PERMITTED, PREFIXES } from './tables.mjs';
import { tokenReader } from './token.mjs';

const EXPIRES_IN_SECONDS = 900;

/** @param recorder is given `write` and gives `record(row)`, which resolves once the row is committed. */
export async function serve(recorder) {
  const { DATABASE_URL, PUBLIC_KEY, STORE } = process.env;
  const { read, write } = await connect(DATABASE_URL);
  const record = recorder(write);
  const readToken = tokenReader(PUBLIC_KEY);
  const signer = new Signer(JSON.parse(STORE));

  const issue = async (request, claims, action, item) => {
    const values = [claims.tenant_id, item.bucket, claims.sub, item.key, action === 'upload-url' ? 'write' : 'read'];
    const [found] = (await read(PERMITTED, values)).rows;
    if (!found) return null;
    await record(ledgerRow(request, claims, action, item, found, signer.address(item.key), EXPIRES_IN_SECONDS));
    return action === 'upload-url'
      ? signer.upload(item.key, EXPIRES_IN_SECONDS, item)
      : signer.download(item.key, EXPIRES_IN_SECONDS);
  };

  const issueMany = async (request, claims, items) => {
    const buckets = [...new Set(items.map((item) => item.bucket))];
    const { rows } = await read(PREFIXES, [claims.tenant_id, buckets, claims.sub, 'read']);
    const allowed = items.map((item) => rows.find(([name, path]) => name === item.bucket && item.key.startsWith(path)));
    const granted = items.flatMap((item, n) =>
      allowed[n] ? [{ item, signingKeyId: allowed[n][2], address: signer.address(item.key) }] : [],
    );
    await write(APPEND_BATCH, batchValues(request, claims, granted, EXPIRES_IN_SECONDS));
    return items.map((item, n) =>
      allowed[n]
        ? { status: 201, body: { url: signer.download(item.key, EXPIRES_IN_SECONDS) } }
        : { status: 403, body: { code: 'not-granted' } },
    );
  };

  const handle = async (request, response, body) => {
    const claims = readToken(request.headers.authorization);
    if (!claims) return answer(response, 401, '{"code":"unauthenticated"}');
    if (request.url === '/download-urls') {
      const items = await issueMany(request, claims, JSON.parse(body).items);
      return answer(response, 200, JSON.stringify({ items }));
    }
    const url = await issue(request, claims, request.url.slice(1), JSON.parse(body));
    return url === null
      ? answer(response, 403, '{"code":"not-granted"}')
      : // A presigned URL holds no character that JSON escapes.
        answer(response, 201, `{"url":"${url}"}`);
  };

  const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const body = parts.length === 1 ? parts[0].toString() : Buffer.concat(parts).toString();
      handle(request, response, body).catch((error) => answer(response, 500, JSON.stringify({ error: String(error) })));
    });
  });
  process.on('disconnect', () => process.exit());
  server.listen(Number(process.env.PORT), '127.0.0.1', () => process.send('ready'));
}

function answer(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
