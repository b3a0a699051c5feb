import { readFileSync, writeFileSync } from 'node:fs';
import { Config } from '@countersign/config';
import { createApp } from './create-app.js';
import { describe } from './documents/openapi.js';

/** Writes openapi.json from the built program; with `--check`, says whether the committed one is still true. Needs no database. */
const url = 'postgresql://nobody@127.0.0.1:1/none';
const config = new Config({
  DATABASE_API_URL: url,
  DATABASE_ISSUER_URL: url,
  DATABASE_OPERATOR_URL: url,
  ENCRYPTION_KEYS: `1:${Buffer.alloc(32).toString('base64')}`,
  LOG_LEVEL: 'error',
});
const app = await createApp(config, { isPreview: true });
const document = `${JSON.stringify(describe(app), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync('openapi.json', document);
} else if (readFileSync('openapi.json', 'utf8') !== document) {
  process.stderr.write('openapi.json is stale: run "npm run openapi" and commit it.\n');
  process.exitCode = 1;
}
