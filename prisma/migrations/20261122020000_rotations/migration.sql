-- Signing keys as things of their own: made, proven, retired, cut off and deleted by a rotation that any replica can resume.

-- A new enum type in place of new values: those could not be used in the transaction that adds them.
DROP INDEX "signing_keys_one_active";
CREATE TYPE "signing_key_state_new" AS ENUM
  ('creating', 'probing', 'active', 'retiring', 'disabling', 'revoked', 'deleted', 'needs-operator');
ALTER TABLE "signing_keys" ALTER COLUMN "state" TYPE "signing_key_state_new" USING ("state"::text::"signing_key_state_new");
DROP TYPE "signing_key_state";
ALTER TYPE "signing_key_state_new" RENAME TO "signing_key_state";
CREATE UNIQUE INDEX "signing_keys_one_active" ON "signing_keys"("tenant_id", "bucket_id") WHERE "state" = 'active';

-- A key that is being created has no name yet where the store gives it; one that is deleted keeps its name and loses its secret.
ALTER TABLE "signing_keys" ALTER COLUMN "access_key_id" DROP NOT NULL, ALTER COLUMN "sealed_credential" DROP NOT NULL;
ALTER TABLE "signing_keys" ADD CONSTRAINT "signing_keys_can_sign" CHECK (
  "state" IN ('creating', 'revoked', 'deleted', 'needs-operator') OR ("access_key_id" IS NOT NULL AND "sealed_credential" IS NOT NULL));
CREATE UNIQUE INDEX "signing_keys_tenant_id_id_key" ON "signing_keys"("tenant_id", "id");

-- Who makes and takes away a bucket's signing keys at the store; a bucket without a row has them changed by hand (`manual`).
CREATE TYPE "key_issuer_type" AS ENUM ('aws-iam', 'ceph-rgw', 'embedded');
CREATE TABLE "key_issuers" (
    "tenant_id" UUID NOT NULL,
    "bucket_id" UUID NOT NULL,
    "type" "key_issuer_type" NOT NULL,
    "settings" JSONB NOT NULL,
    "sealed_credential" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "key_issuers_pkey" PRIMARY KEY ("tenant_id", "bucket_id")
);
ALTER TABLE "key_issuers" ADD CONSTRAINT "key_issuers_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "key_issuers" ADD CONSTRAINT "key_issuers_tenant_id_bucket_id_fkey" FOREIGN KEY ("tenant_id", "bucket_id") REFERENCES "buckets"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- A rotation is a row that any replica can resume: every outside call has a committed intent before it and a committed outcome after it.
-- Whoever works on it holds the lease, and each of their writes is a compare-and-set on it.
CREATE TYPE "rotation_mode" AS ENUM ('graceful', 'immediate', 'revocation');
CREATE TYPE "rotation_state" AS ENUM ('running', 'waiting', 'done', 'needs-operator');
CREATE TABLE "rotations" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "bucket_id" UUID NOT NULL,
    "mode" "rotation_mode" NOT NULL,
    "state" "rotation_state" NOT NULL DEFAULT 'running',
    "reason" TEXT NOT NULL,
    "requested_by" TEXT NOT NULL,
    "old_signing_key_id" UUID,
    "new_signing_key_id" UUID,
    "step" TEXT NOT NULL,
    "steps" JSONB NOT NULL DEFAULT '[]',
    "intent" JSONB,
    "leftovers" JSONB NOT NULL DEFAULT '[]',
    "was_accepted" BOOLEAN NOT NULL DEFAULT false,
    "exposure_before" JSONB NOT NULL,
    "waiting_for" JSONB,
    "control" JSONB,
    "problem" TEXT,
    "revoked_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "lease" UUID,
    "lease_until" TIMESTAMPTZ(3),

    CONSTRAINT "rotations_pkey" PRIMARY KEY ("id")
);
ALTER TABLE "rotations" ADD CONSTRAINT "rotations_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "rotations" ADD CONSTRAINT "rotations_tenant_id_bucket_id_fkey" FOREIGN KEY ("tenant_id", "bucket_id") REFERENCES "buckets"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "rotations" ADD CONSTRAINT "rotations_tenant_id_old_signing_key_id_fkey" FOREIGN KEY ("tenant_id", "old_signing_key_id") REFERENCES "signing_keys"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "rotations" ADD CONSTRAINT "rotations_tenant_id_new_signing_key_id_fkey" FOREIGN KEY ("tenant_id", "new_signing_key_id") REFERENCES "signing_keys"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;
CREATE INDEX "rotations_tenant_id_bucket_id_created_at_idx" ON "rotations"("tenant_id", "bucket_id", "created_at");
-- Of two administrators who rotate the same bucket at once, one is told of the other's rotation.
CREATE UNIQUE INDEX "rotations_one_under_way" ON "rotations"("tenant_id", "bucket_id") WHERE "state" <> 'done';
CREATE INDEX "rotations_due" ON "rotations"("due_at") WHERE "state" IN ('running', 'waiting');

-- The live URLs of a key: what a rotation would kill.
CREATE INDEX "ledger_signing_key" ON "ledger"("signing_key_id", "expires_at") WHERE "signing_key_id" IS NOT NULL;

DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['key_issuers', 'rotations'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY owner ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', t);
    EXECUTE format('CREATE POLICY own_tenant ON %I TO countersign_api'
      || ' USING (tenant_id = current_tenant_id()) WITH CHECK (tenant_id = current_tenant_id())', t);
    EXECUTE format('CREATE POLICY across_tenants ON %I TO countersign_operator USING (true) WITH CHECK (true)', t);
  END LOOP;
END
$$;

-- Administration starts a rotation, and may put a key out of use; it still reads no secret, not even a sealed one.
GRANT SELECT, INSERT, UPDATE, DELETE ON rotations TO countersign_api;
GRANT INSERT, UPDATE, DELETE ON key_issuers TO countersign_api;
GRANT SELECT (tenant_id, bucket_id, type, settings, created_at) ON key_issuers TO countersign_api;
GRANT UPDATE (state, sealed_credential) ON signing_keys TO countersign_api;
GRANT EXECUTE ON FUNCTION signing_key_lock(uuid) TO countersign_api, countersign_operator;

-- Rotations are carried out across tenants, by whichever replica is free.
GRANT SELECT, UPDATE ON rotations TO countersign_operator;
GRANT SELECT, INSERT, UPDATE ON signing_keys TO countersign_operator;
GRANT SELECT ON key_issuers, buckets TO countersign_operator;
GRANT SELECT (tenant_id, at, signing_key_id, subject, expires_at) ON ledger TO countersign_operator;

-- What is out under a signing key, straight from the ledger; a rotation's own URLs are nobody's. Whoever asks sees their tenant's rows only.
-- A URL that was issued after another one expires after that one was issued: so the newest issuance is found among few rows.
CREATE FUNCTION signing_key_exposure(key_tenant_id uuid, key_id uuid)
  RETURNS TABLE (live_urls bigint, subjects bigint, latest_expires_at timestamptz, last_issued_at timestamptz)
  LANGUAGE sql STABLE SECURITY INVOKER
  AS $$
  SELECT live.urls, live.subjects, live.latest, newest.at
    FROM (SELECT count(*) AS urls, count(DISTINCT subject) AS subjects, max(expires_at) AS latest
            FROM ledger
           WHERE tenant_id = key_tenant_id AND signing_key_id = key_id AND expires_at > now() AND at > now() - interval '8 days'
             AND subject <> 'system:rotation') AS live,
         (SELECT max(at) AS at
            FROM ledger
           WHERE tenant_id = key_tenant_id AND signing_key_id = key_id AND subject <> 'system:rotation'
             AND expires_at >= (SELECT at FROM ledger
                                 WHERE tenant_id = key_tenant_id AND signing_key_id = key_id AND subject <> 'system:rotation'
                                   AND expires_at IS NOT NULL
                                 ORDER BY expires_at DESC LIMIT 1)) AS newest
  $$;
REVOKE EXECUTE ON FUNCTION signing_key_exposure(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION signing_key_exposure(uuid, uuid) TO countersign_api, countersign_operator;

-- As before, but that a rotation's own rows (`rotationId`) may name a key of it that is not active: it has to see whether URLs of that
-- key are still believed.
CREATE OR REPLACE FUNCTION append_to_ledger(entries jsonb)
  RETURNS TABLE (n integer, at timestamptz)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp
  SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  AS $$
BEGIN
  -- In one order, always: two appends can then never wait for each other.
  PERFORM pg_advisory_xact_lock_shared(signing_key_lock(k.id))
    FROM (SELECT DISTINCT e."signingKeyId" AS id FROM jsonb_to_recordset(entries) AS e("signingKeyId" uuid)
           WHERE e."signingKeyId" IS NOT NULL ORDER BY 1) AS k;

  RETURN QUERY
  WITH accepted AS MATERIALIZED (
    SELECT e.*, clock_timestamp()::timestamptz(3) AS at
      FROM jsonb_to_recordset(entries) AS e(n integer, id uuid, "tenantId" uuid, subject text, action text, decision decision,
             reason text, bucket text, key text, "useCase" text, "issuanceId" uuid, "signingKeyId" uuid,
             "expiresAt" timestamptz, "contentType" text, "contentLength" bigint, url text, "clientAddress" text,
             "userAgent" text, "requestId" text, details jsonb, "rotationId" uuid)
     WHERE e."signingKeyId" IS NULL
        OR EXISTS (
       SELECT FROM signing_keys k WHERE k.id = e."signingKeyId" AND k.tenant_id = e."tenantId" AND k.state = 'active')
        OR EXISTS (
       SELECT FROM rotations r
        WHERE r.id = e."rotationId" AND r.tenant_id = e."tenantId" AND r.state <> 'done'
          AND e."signingKeyId" IN (r.old_signing_key_id, r.new_signing_key_id))
  ), appended AS (
    INSERT INTO ledger (at, id, tenant_id, subject, action, decision, reason, bucket, key, use_case, issuance_id,
        signing_key_id, expires_at, content_type, content_length, url, client_address, user_agent, request_id, details)
    SELECT a.at, a.id, a."tenantId", a.subject, a.action, a.decision, a.reason, a.bucket, a.key, a."useCase", a."issuanceId",
        a."signingKeyId", a."expiresAt", a."contentType", a."contentLength", a.url, a."clientAddress", a."userAgent",
        a."requestId", a.details
      FROM accepted a
  )
  SELECT a.n, a.at FROM accepted a;
END
$$;
