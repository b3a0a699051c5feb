import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'prisma/config';

const inRepository = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Where no engine binary can be downloaded, the CLI runs our stand-in, as long as nobody chose an engine. On Windows a script
// cannot be started as if it were a program, so there the CLI is left to fetch its own.
if (!hasNativeSchemaEngine() && process.platform !== 'win32') {
  process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= inRepository('prisma/engine/schema-engine.mjs');
}

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  // The placeholder lets `prisma generate`, which needs no database, run without one.
  datasource: { url: process.env.DATABASE_URL || 'postgresql://DATABASE_URL-is-not-set@127.0.0.1:1/unset' },
});

function hasNativeSchemaEngine(): boolean {
  const folder = inRepository('node_modules/@prisma/engines');
  return existsSync(folder) && readdirSync(folder).some((file) => file.startsWith('schema-engine-'));
}
