import { prepareDatabase } from '@countersign/database';

/** `npm run db:migrate`: what the database's owner does at each release, and once a month for the ledger's partitions. */
const { DATABASE_URL, DATABASE_API_URL, DATABASE_ISSUER_URL, DATABASE_OPERATOR_URL } = process.env;

if (!DATABASE_URL) {
  process.stderr.write(
    'DATABASE_URL is missing: the postgresql:// URL of the database as its owner. See .env.example.\n',
  );
  process.exit(1);
}
try {
  const { migrations, partitions } = await prepareDatabase(DATABASE_URL, 'prisma/migrations', {
    ...(DATABASE_API_URL ? { api: DATABASE_API_URL } : {}),
    ...(DATABASE_ISSUER_URL ? { issuer: DATABASE_ISSUER_URL } : {}),
    ...(DATABASE_OPERATOR_URL ? { operator: DATABASE_OPERATOR_URL } : {}),
  });
  process.stdout.write(`migrations applied: ${migrations.join(', ') || 'none, up to date'}\n`);
  process.stdout.write(`ledger partitions made: ${partitions.join(', ') || 'none, all there'}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
