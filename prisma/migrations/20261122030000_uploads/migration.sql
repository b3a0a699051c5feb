-- The life of an upload: a row that belongs to whoever asked for it, from its URL to what was found at the store.
CREATE TYPE "upload_mode" AS ENUM ('put', 'post', 'multipart');
CREATE TYPE "upload_state" AS ENUM ('pending', 'uploaded', 'verified', 'rejected', 'expired', 'aborted');

-- No foreign key: the hot path writes here, and each would take a shared lock on the one row of the tenant, or of the bucket, that all
-- of a tenant's uploads then write to at once. Of a bucket that is gone nobody finds an upload any more, and the reconciler forgets it.
CREATE TABLE "uploads" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "subject" TEXT NOT NULL,
    "bucket_id" UUID NOT NULL,
    "bucket" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "use_case" TEXT NOT NULL,
    "mode" "upload_mode" NOT NULL,
    "state" "upload_state" NOT NULL DEFAULT 'pending',
    "content_type" TEXT NOT NULL,
    "content_length" BIGINT,
    "min_content_length" BIGINT,
    "max_content_length" BIGINT,
    "checksum_sha256" TEXT,
    "overwrite" BOOLEAN NOT NULL,
    "disposition" TEXT,
    "part_size" BIGINT,
    "part_count" INTEGER,
    "store_upload_id" TEXT,
    "withheld" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "size" BIGINT,
    "etag" TEXT,
    "verified" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
    "mismatches" JSONB,
    "finished_at" TIMESTAMPTZ(3),
    "looks" INTEGER NOT NULL DEFAULT 0,
    "due_at" TIMESTAMPTZ(3) NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "lease" UUID,
    "lease_until" TIMESTAMPTZ(3),

    CONSTRAINT "uploads_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "uploads_due" ON "uploads"("due_at");
-- What nobody may download now: few rows, and so a cheap look-up for every download.
CREATE INDEX "uploads_withheld" ON "uploads"("tenant_id", "bucket_id", "key") WHERE "withheld";
-- Whose multipart upload is it that a store has begun under this key? Nothing that a plain PUT pays for.
CREATE INDEX "uploads_multipart" ON "uploads"("tenant_id", "bucket_id", "key") WHERE "mode" = 'multipart';

ALTER TABLE uploads ENABLE ROW LEVEL SECURITY;
ALTER TABLE uploads FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON uploads TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY own_tenant ON uploads TO countersign_api
  USING (tenant_id = current_tenant_id()) WITH CHECK (tenant_id = current_tenant_id());
CREATE POLICY across_tenants ON uploads TO countersign_operator USING (true) WITH CHECK (true);

-- Only the append makes a row, with the ledger's.
GRANT SELECT, UPDATE, DELETE ON uploads TO countersign_api, countersign_operator;

-- Whether what is uploaded within it may be downloaded only once it was verified.
ALTER TABLE "use_cases" ADD COLUMN "require_verified" BOOLEAN NOT NULL DEFAULT false;

-- How many URLs an issuance gave: the parts of one call, none where a multipart upload was begun; null stands for one.
ALTER TABLE "ledger" ADD COLUMN "url_count" INTEGER;
GRANT SELECT (url_count) ON ledger TO countersign_operator;

-- As before, but that it counts the URLs of a row, and no row that gave none.
CREATE OR REPLACE FUNCTION signing_key_exposure(key_tenant_id uuid, key_id uuid)
  RETURNS TABLE (live_urls bigint, subjects bigint, latest_expires_at timestamptz, last_issued_at timestamptz)
  LANGUAGE sql STABLE SECURITY INVOKER
  AS $$
  SELECT live.urls, live.subjects, live.latest, newest.at
    FROM (SELECT coalesce(sum(coalesce(url_count, 1)), 0) AS urls, count(DISTINCT subject) AS subjects, max(expires_at) AS latest
            FROM ledger
           WHERE tenant_id = key_tenant_id AND signing_key_id = key_id AND expires_at > now() AND at > now() - interval '8 days'
             AND subject <> 'system:rotation' AND url_count IS DISTINCT FROM 0) AS live,
         (SELECT max(at) AS at
            FROM ledger
           WHERE tenant_id = key_tenant_id AND signing_key_id = key_id AND subject <> 'system:rotation'
             AND url_count IS DISTINCT FROM 0
             AND expires_at >= (SELECT at FROM ledger
                                 WHERE tenant_id = key_tenant_id AND signing_key_id = key_id AND subject <> 'system:rotation'
                                   AND url_count IS DISTINCT FROM 0
                                   AND expires_at IS NOT NULL
                                 ORDER BY expires_at DESC LIMIT 1)) AS newest
  $$;

-- As before, and with the use case's `requireVerified`; where the request `reads`, with those of its keys that nobody may download now.
-- A path that is empty or ends in "/" is no key.
--   requests: [{ n, tenantId, bucket, useCase, subjectTypes[], subjectIds[], paths[], hasSegment, reads }]
CREATE OR REPLACE FUNCTION find_holdings(requests jsonb)
  RETURNS TABLE (n integer, holding json)
  LANGUAGE plpgsql STABLE SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp
  SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_bitmapscan = off SET enable_material = off
  AS $$
BEGIN
  RETURN QUERY
  SELECT r.n, json_build_object(
      'now', extract(epoch FROM now()),
      'bucket', CASE WHEN b.id IS NOT NULL THEN json_build_object(
        'id', b.id, 'name', b.name, 'endpoint', b.endpoint, 'publicEndpoint', b.public_endpoint, 'region', b.region,
        'bucket', b.bucket, 'keyPrefix', b.key_prefix, 'forcePathStyle', b.force_path_style, 'acl', b.acl) END,
      'useCase', CASE WHEN u.name IS NOT NULL THEN json_build_object(
        'name', u.name, 'action', u.action, 'minExpirySeconds', u.min_expiry_seconds,
        'defaultExpirySeconds', u.default_expiry_seconds, 'maxExpirySeconds', u.max_expiry_seconds,
        'contentTypes', u.content_types, 'minContentLength', u.min_content_length, 'maxContentLength', u.max_content_length,
        'overwrite', u.overwrite, 'disposition', u.disposition, 'requireVerified', u.require_verified) END,
      'signingKey', CASE WHEN k.id IS NOT NULL THEN json_build_object(
        'id', k.id, 'accessKeyId', k.access_key_id, 'sealedCredential', encode(k.sealed_credential, 'base64'),
        'expiresAt', extract(epoch FROM k.expires_at)) END,
      'grants', coalesce(g.found, '[]'::json),
      'holdsAnything', coalesce(g.allows, false) OR EXISTS (
        SELECT FROM unnest(r."subjectTypes", r."subjectIds") AS s(type, id),
          LATERAL (
            SELECT FROM grants a
             WHERE a.tenant_id = r."tenantId" AND a.bucket_id = b.id
               AND a.subject_type = s.type::subject_type AND a.subject_id = s.id
               AND a.effect = 'allow' AND (a.expires_at IS NULL OR a.expires_at > now())
               AND (r."hasSegment" OR NOT a.is_prefix OR strpos(a.path, '{sub}') = 0)
             LIMIT 1) AS any_of_theirs),
      'withheld', CASE WHEN r.reads THEN (
        SELECT json_agg(p.path)
          FROM unnest(r.paths) AS p(path),
            LATERAL (
              SELECT FROM uploads w
               WHERE w.tenant_id = r."tenantId" AND w.bucket_id = b.id AND w.key = p.path AND w.withheld
               LIMIT 1) AS any_of_them
         WHERE p.path <> '' AND right(p.path, 1) <> '/') END)
    FROM jsonb_to_recordset(requests) AS r(n integer, "tenantId" uuid, bucket text, "useCase" text,
           "subjectTypes" text[], "subjectIds" text[], paths text[], "hasSegment" boolean, reads boolean)
    LEFT JOIN buckets b ON b.tenant_id = r."tenantId" AND b.name = r.bucket
    LEFT JOIN use_cases u ON u.tenant_id = r."tenantId" AND u.name = r."useCase"
    LEFT JOIN LATERAL (
      SELECT * FROM signing_keys WHERE tenant_id = b.tenant_id AND bucket_id = b.id AND state = 'active' LIMIT 1) k ON true
    LEFT JOIN LATERAL (
      SELECT json_agg(json_build_object(
               'id', c.id, 'path', c.path, 'isPrefix', c.is_prefix, 'actions', c.actions, 'effect', c.effect)) AS found,
             bool_or(c.effect = 'allow' AND (r."hasSegment" OR NOT c.is_prefix OR strpos(c.path, '{sub}') = 0)) AS allows
        FROM unnest(r."subjectTypes", r."subjectIds") AS s(type, id),
          LATERAL (
            SELECT * FROM grants
             WHERE tenant_id = r."tenantId" AND bucket_id = b.id
               AND subject_type = s.type::subject_type AND subject_id = s.id AND lookup_path = ANY (r.paths)
               AND (expires_at IS NULL OR expires_at > now())
            OFFSET 0) AS c) g ON b.id IS NOT NULL;
END
$$;

-- As before, and of an entry that begins an upload, with `upload`, the upload's row in the same statement: both are there, or neither.
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
             "userAgent" text, "requestId" text, details jsonb, "rotationId" uuid, "urlCount" integer, upload jsonb)
     WHERE e."signingKeyId" IS NULL
        OR EXISTS (
       SELECT FROM signing_keys k WHERE k.id = e."signingKeyId" AND k.tenant_id = e."tenantId" AND k.state = 'active')
        OR EXISTS (
       SELECT FROM rotations r
        WHERE r.id = e."rotationId" AND r.tenant_id = e."tenantId" AND r.state <> 'done'
          AND e."signingKeyId" IN (r.old_signing_key_id, r.new_signing_key_id))
  ), appended AS (
    INSERT INTO ledger (at, id, tenant_id, subject, action, decision, reason, bucket, key, use_case, issuance_id,
        signing_key_id, expires_at, content_type, content_length, url, client_address, user_agent, request_id, details,
        url_count)
    SELECT a.at, a.id, a."tenantId", a.subject, a.action, a.decision, a.reason, a.bucket, a.key, a."useCase", a."issuanceId",
        a."signingKeyId", a."expiresAt", a."contentType", a."contentLength", a.url, a."clientAddress", a."userAgent",
        a."requestId", a.details, a."urlCount"
      FROM accepted a
  ), begun AS (
    INSERT INTO uploads (id, tenant_id, subject, bucket_id, bucket, key, use_case, mode, content_type, content_length,
        min_content_length, max_content_length, checksum_sha256, overwrite, disposition, part_size, part_count, withheld,
        created_at, expires_at, due_at)
    SELECT a."issuanceId", a."tenantId", a.subject, u."bucketId", a.bucket, a.key, a."useCase", u.mode, a."contentType",
        a."contentLength", u."minContentLength", u."maxContentLength", u."checksumSha256", u.overwrite, u.disposition, u."partSize",
        u."partCount", u.withheld, a.at, a."expiresAt", CASE u.mode WHEN 'multipart' THEN a.at + interval '60 s' ELSE a."expiresAt" END
      FROM accepted a, LATERAL jsonb_to_record(a.upload) AS u("bucketId" uuid, mode upload_mode, "minContentLength" bigint,
             "maxContentLength" bigint, "checksumSha256" text, overwrite boolean, disposition text, "partSize" bigint,
             "partCount" integer, withheld boolean)
     WHERE a.upload IS NOT NULL
  )
  SELECT a.n, a.at FROM accepted a;
END
$$;
