// What stands in the database: one tenant under load with its issuer, bucket, use cases and grants, and a thousand others around it.
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import pg from 'pg';
import { lookupPathOf } from '../../dist/libs/permissions/src/index.js';
import { defaultUseCases } from '../../dist/libs/policy/src/index.js';
import { CredentialSeal } from '../../dist/libs/signing-keys/src/index.js';

export const USERS = 1_000;
export const GRANTS_PER_USER = 3;
export const BUCKET = 'files';
const ISSUER = 'https://login.bench.example';
const AUDIENCE = 'countersign';

/** AWS's published example key pair: nothing is ever sent to a store. */
export const STORE = {
  endpoint: 'https://s3.eu-central-1.example.com',
  region: 'eu-central-1',
  bucket: 'acme-files',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

export const ENCRYPTION_KEYS = `1:${randomBytes(32).toString('base64')}`;

/** An issuer's key pair, which several databases may share, and a token for each of its users. */
export function makeIdentity({ subjects = Array.from({ length: USERS }, (_, n) => subjectOf(n)) } = {}) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const tenantId = randomUUID();
  const tokens = subjects.map((subject) =>
    // `tenant_id` is for the peers: ours knows the tenant by the issuer.
    jwt.sign({ scope: 'read:objects write:objects', tenant_id: tenantId }, privateKey, {
      algorithm: 'RS256',
      keyid: 'bench',
      issuer: ISSUER,
      audience: AUDIENCE,
      subject,
      expiresIn: '12h',
    }),
  );
  return { tenantId, publicKey, subjects, tokens };
}

/** A user's subject, as an identity provider gives it. */
export const subjectOf = (n) => `11111111-1111-4111-8111-${n.toString(16).padStart(12, '0')}`;

export async function seedWorld(ownerUrl, identity, { grants = GRANTS_PER_USER * USERS } = {}) {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await seedTenant(client, identity);
    const bucketId = await seedBucket(client, identity.tenantId);
    await seedGrants(client, identity.tenantId, bucketId, grants);
    await seedOthers(client);
    await client.query('VACUUM ANALYZE');
  } finally {
    await client.end();
  }
}

async function seedTenant(client, { tenantId, publicKey }) {
  await client.query(`INSERT INTO tenants (id, slug, name) VALUES ($1, 'bench', 'Bench')`, [tenantId]);
  const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'RS256', use: 'sig' }] };
  await client.query(
    `INSERT INTO issuers (id, tenant_id, issuer, audience, algorithms, jwks) VALUES ($1, $2, $3, $4, '{RS256}', $5)`,
    [randomUUID(), tenantId, ISSUER, AUDIENCE, jwks],
  );
  for (const useCase of defaultUseCases)
    await client.query(
      `INSERT INTO use_cases (tenant_id, name, action, min_expiry_seconds, default_expiry_seconds, max_expiry_seconds, content_types)
       VALUES ($1, $2, $3, $4, $5, $6, '{}')`,
      [
        tenantId,
        useCase.name,
        useCase.action,
        useCase.minExpirySeconds,
        useCase.defaultExpirySeconds,
        useCase.maxExpirySeconds,
      ],
    );
}

async function seedBucket(client, tenantId) {
  const bucketId = randomUUID();
  await client.query(
    `INSERT INTO buckets (id, tenant_id, name, provider, endpoint, region, bucket, force_path_style, acl)
     VALUES ($1, $2, $3, 's3', $4, $5, $6, true, 'private')`,
    [bucketId, tenantId, BUCKET, STORE.endpoint, STORE.region, STORE.bucket],
  );
  const signingKeyId = randomUUID();
  const [version, key] = ENCRYPTION_KEYS.split(':');
  const seal = new CredentialSeal({
    encryptionKeys: [{ version: Number(version), key: Buffer.from(key, 'base64') }],
  });
  await client.query(
    `INSERT INTO signing_keys (id, tenant_id, bucket_id, access_key_id, sealed_credential, state) VALUES ($1, $2, $3, $4, $5, 'active')`,
    [
      signingKeyId,
      tenantId,
      bucketId,
      STORE.accessKeyId,
      seal.seal({ secretAccessKey: STORE.secretAccessKey }, { tenantId, signingKeyId }),
    ],
  );
  return bucketId;
}

/** Every user has a folder of their own, and two more grants elsewhere; everyone may read `public/`. */
async function seedGrants(client, tenantId, bucketId, grants) {
  // What is right by construction need not be looked up five million times: no foreign key is checked.
  await client.query("SET session_replication_role = 'replica'");
  await client.query(
    `INSERT INTO grants (id, tenant_id, bucket_id, subject_type, subject_id, path, is_prefix, lookup_path, actions)
     SELECT uuidv7(), $1, $2, 'user', s.subject, p.path, true, p.path, '{read,write}'
       FROM generate_series(0, $3::int - 1) AS g(n),
            LATERAL (SELECT '11111111-1111-4111-8111-' || lpad(to_hex(g.n / ${GRANTS_PER_USER}), 12, '0') AS subject) AS s,
            LATERAL (SELECT CASE g.n % ${GRANTS_PER_USER} WHEN 0 THEN 'users/' || s.subject || '/' WHEN 1 THEN 'projects/' || g.n % 997 || '/'
                                         ELSE 'teams/' || g.n % 89 || '/photos/' END AS path) AS p`,
    [tenantId, bucketId, grants],
  );
  await client.query("SET session_replication_role = 'origin'");
  await client.query(
    `INSERT INTO grants (id, tenant_id, bucket_id, subject_type, subject_id, path, is_prefix, lookup_path, actions)
     VALUES (gen_random_uuid(), $1, $2, 'everyone', '', 'public/', true, $3, '{read}')`,
    [tenantId, bucketId, lookupPathOf('public/', true)],
  );
}

/** A thousand tenants that are not asked for anything, with ten grants each. */
async function seedOthers(client) {
  await client.query(`
    INSERT INTO tenants (id, slug, name)
    SELECT ('22222222-2222-4222-8222-' || lpad(to_hex(n), 12, '0'))::uuid, 'other-' || n, 'Other' FROM generate_series(1, 1000) AS n`);
  await client.query(`
    INSERT INTO buckets (id, tenant_id, name, provider, region, bucket, acl)
    SELECT gen_random_uuid(), id, 'files', 's3', 'us-east-1', slug, 'none' FROM tenants WHERE slug LIKE 'other-%'`);
  await client.query(`
    INSERT INTO grants (id, tenant_id, bucket_id, subject_type, subject_id, path, is_prefix, lookup_path, actions)
    SELECT gen_random_uuid(), b.tenant_id, b.id, 'user', 'user-' || g, 'users/' || g || '/', true, 'users/' || g || '/', '{read}'
      FROM buckets b JOIN tenants t ON t.id = b.tenant_id AND t.slug LIKE 'other-%', generate_series(1, 10) AS g`);
}
