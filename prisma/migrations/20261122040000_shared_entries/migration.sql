-- As before, but that of what several requests share, the answer is one: a request that is the `sameAs` an earlier one, in tenant, bucket and use
-- case, is given its own grants alone.
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
      'bucket', CASE WHEN b.id IS NOT NULL AND r."sameAs" IS NULL THEN json_build_object(
        'id', b.id, 'name', b.name, 'endpoint', b.endpoint, 'publicEndpoint', b.public_endpoint, 'region', b.region,
        'bucket', b.bucket, 'keyPrefix', b.key_prefix, 'forcePathStyle', b.force_path_style, 'acl', b.acl) END,
      'useCase', CASE WHEN u.name IS NOT NULL AND r."sameAs" IS NULL THEN json_build_object(
        'name', u.name, 'action', u.action, 'minExpirySeconds', u.min_expiry_seconds,
        'defaultExpirySeconds', u.default_expiry_seconds, 'maxExpirySeconds', u.max_expiry_seconds,
        'contentTypes', u.content_types, 'minContentLength', u.min_content_length, 'maxContentLength', u.max_content_length,
        'overwrite', u.overwrite, 'disposition', u.disposition, 'requireVerified', u.require_verified) END,
      'signingKey', CASE WHEN k.id IS NOT NULL AND r."sameAs" IS NULL THEN json_build_object(
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
      -- Nearly always there is none, as one look-up for all paths says; a key with many uploads is then read no further than its first.
      'withheld', CASE WHEN r.reads AND EXISTS (
        SELECT FROM uploads w
         WHERE w.tenant_id = r."tenantId" AND w.bucket_id = b.id AND w.key = ANY (r.paths) AND w.withheld) THEN (
        SELECT json_agg(p.path)
          FROM unnest(r.paths) AS p(path),
            LATERAL (
              SELECT FROM uploads w
               WHERE w.tenant_id = r."tenantId" AND w.bucket_id = b.id AND w.key = p.path AND w.withheld
               LIMIT 1) AS any_of_them
         WHERE p.path <> '' AND right(p.path, 1) <> '/') END)
    FROM jsonb_to_recordset(requests) AS r(n integer, "tenantId" uuid, bucket text, "useCase" text,
           "subjectTypes" text[], "subjectIds" text[], paths text[], "hasSegment" boolean, reads boolean, "sameAs" integer)
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

-- As before, but that an entry may stand for many rows, which share all that it says and differ in what each of `rows` says: a batch names its
-- caller once. An entry without `rows` is a row itself.
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
        e."urlCount", coalesce(r.upload, e.upload) AS upload, clock_timestamp()::timestamptz(3) AS at
      FROM jsonb_to_recordset(entries) AS e(n integer, id uuid, "tenantId" uuid, subject text, action text, decision decision,
             reason text, bucket text, key text, "useCase" text, "signingKeyId" uuid, "expiresAt" timestamptz, "contentType" text,
             "contentLength" bigint, url text, "clientAddress" text, "userAgent" text, "requestId" text, details jsonb,
             "rotationId" uuid, "urlCount" integer, upload jsonb, rows jsonb)
      LEFT JOIN LATERAL jsonb_to_recordset(e.rows) AS r(n integer, id uuid, key text, "contentType" text, "contentLength" bigint,
             url text, details jsonb, upload jsonb) ON true
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
        url_count)
    SELECT a.at, a.id, a."tenantId", a.subject, a.action, a.decision, a.reason, a.bucket, a.key, a."useCase", CASE a.decision WHEN 'granted' THEN a.id END,
        a."signingKeyId", a."expiresAt", a."contentType", a."contentLength", a.url, a."clientAddress", a."userAgent",
        a."requestId", a.details, a."urlCount"
      FROM accepted a
  ), begun AS (
    INSERT INTO uploads (id, tenant_id, subject, bucket_id, bucket, key, use_case, mode, content_type, content_length,
        min_content_length, max_content_length, checksum_sha256, overwrite, disposition, part_size, part_count, withheld,
        created_at, expires_at, due_at)
    SELECT a.id, a."tenantId", a.subject, u."bucketId", a.bucket, a.key, a."useCase", u.mode, a."contentType",
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
