-- As before, but that an upload's row is read off its JSON field by field: a record of it would cost more.
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
    SELECT coalesce(r.n, e.n) AS n, coalesce(r.id, e.id) AS id, e."tenantId", e.subject, e.action, e.decision, e.reason, e.bucket,
        coalesce(r.key, e.key) AS key, e."useCase", e."signingKeyId", e."expiresAt",
        coalesce(r."contentType", e."contentType") AS "contentType", coalesce(r."contentLength", e."contentLength") AS "contentLength",
        coalesce(r.url, e.url) AS url, e."clientAddress", e."userAgent", e."requestId", coalesce(r.details, e.details) AS details,
        e."urlCount", coalesce(r."stableUrls", e."stableUrls") AS "stableUrls", coalesce(r.upload, e.upload) AS upload,
        clock_timestamp()::timestamptz(3) AS at
      FROM jsonb_to_recordset(entries) AS e(n integer, id uuid, "tenantId" uuid, subject text, action text, decision decision,
             reason text, bucket text, key text, "useCase" text, "signingKeyId" uuid, "expiresAt" timestamptz, "contentType" text,
             "contentLength" bigint, url text, "clientAddress" text, "userAgent" text, "requestId" text, details jsonb,
             "rotationId" uuid, "urlCount" integer, "stableUrls" uuid[], upload jsonb, rows jsonb)
      LEFT JOIN LATERAL jsonb_to_recordset(e.rows) AS r(n integer, id uuid, key text, "contentType" text, "contentLength" bigint,
             url text, details jsonb, "stableUrls" uuid[], upload jsonb) ON true
     WHERE e."signingKeyId" IS NULL
        OR EXISTS (
       SELECT FROM signing_keys k WHERE k.id = e."signingKeyId" AND k.tenant_id = e."tenantId" AND k.state = 'active')
        OR EXISTS (
       SELECT FROM rotations o
        WHERE o.id = e."rotationId" AND o.tenant_id = e."tenantId" AND o.state <> 'done'
          AND e."signingKeyId" IN (o.old_signing_key_id, o.new_signing_key_id))
  ), appended AS (
    INSERT INTO ledger (at, id, tenant_id, subject, action, decision, reason, bucket, key, use_case, issuance_id,
        signing_key_id, expires_at, content_type, content_length, url, client_address, user_agent, request_id, details,
        url_count, stable_urls)
    SELECT a.at, a.id, a."tenantId", a.subject, a.action, a.decision, a.reason, a.bucket, a.key, a."useCase", CASE a.decision WHEN 'granted' THEN a.id END,
        a."signingKeyId", a."expiresAt", a."contentType", a."contentLength", a.url, a."clientAddress", a."userAgent",
        a."requestId", a.details, a."urlCount", a."stableUrls"
      FROM accepted a
  ), begun AS (
    INSERT INTO uploads (id, tenant_id, subject, bucket_id, bucket, key, use_case, mode, content_type, content_length,
        min_content_length, max_content_length, checksum_sha256, overwrite, disposition, part_size, part_count, withheld,
        created_at, expires_at, due_at)
    SELECT a.id, a."tenantId", a.subject, (a.upload ->> 'bucketId')::uuid, a.bucket, a.key, a."useCase", (a.upload ->> 'mode')::upload_mode,
        a."contentType", a."contentLength", (a.upload ->> 'minContentLength')::bigint, (a.upload ->> 'maxContentLength')::bigint,
        a.upload ->> 'checksumSha256', (a.upload ->> 'overwrite')::boolean, a.upload ->> 'disposition', (a.upload ->> 'partSize')::bigint,
        (a.upload ->> 'partCount')::integer, (a.upload ->> 'withheld')::boolean, a.at, a."expiresAt",
        CASE a.upload ->> 'mode' WHEN 'multipart' THEN a.at + interval '60 s' ELSE a."expiresAt" END
      FROM accepted a
     WHERE a.upload IS NOT NULL
  )
  SELECT a.n, a.at FROM accepted a;
END
$$;
