// What a developer writes first: express, jsonwebtoken, a pool, one SELECT, getSignedUrl, one INSERT. Nothing cached, nothing tuned.
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import express from 'express';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import { APPEND, APPEND_UPLOAD, hasUpload, ledgerRow, PERMITTED } from './tables.mjs';

const { DATABASE_URL, PUBLIC_KEY, STORE, PORT } = process.env;
const { bucket: Bucket, endpoint, region, ...credentials } = JSON.parse(STORE);
const EXPIRES_IN_SECONDS = 900;

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 20 });
const s3 = new S3Client({ region, endpoint, forcePathStyle: true, credentials });
const app = express();
app.use(express.json());

app.use((request, response, next) => {
  try {
    request.user = jwt.verify((request.headers.authorization ?? '').slice(7), PUBLIC_KEY, { algorithms: ['RS256'] });
    next();
  } catch {
    response.status(401).json({ code: 'unauthenticated' });
  }
});

const issue = (action, right, toCommand) => async (request, response) => {
  const item = request.body;
  const values = [request.user.tenant_id, item.bucket, request.user.sub, item.key, right];
  const [found] = (await pool.query(PERMITTED.text, values)).rows;
  if (!found) return response.status(403).json({ code: 'not-granted' });
  const url = await getSignedUrl(s3, toCommand(item), { expiresIn: EXPIRES_IN_SECONDS });
  const address = url.slice(0, url.indexOf('?'));
  const of = [found.id, found.bucket_id];
  const row = ledgerRow(request, request.user, action, item, of, address, EXPIRES_IN_SECONDS);
  await pool.query((hasUpload(row) ? APPEND_UPLOAD : APPEND).text, row);
  return response.status(201).json({ url });
};

app.post(
  '/download-url',
  issue('download-url', 'read', ({ key: Key }) => new GetObjectCommand({ Bucket, Key })),
);
app.post(
  '/upload-url',
  issue('upload-url', 'write', ({ key: Key, contentType: ContentType, contentLength: ContentLength }) => {
    return new PutObjectCommand({ Bucket, Key, ContentType, ContentLength, IfNoneMatch: '*', ACL: 'private' });
  }),
);

process.on('disconnect', () => process.exit());
app.listen(Number(PORT), '127.0.0.1', () => process.send('ready'));
