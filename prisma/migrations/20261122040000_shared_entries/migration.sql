-- As before, but that it is asked by places: a tenant's bucket under a use case, which is told once, and all that is asked about it. Most of what a
-- crowd asks is about few places.
--   requests: [{ n, tenantId, bucket, useCase, asked: [{ n, subject, groups[], paths[], hasSegment, reads }] }]
--   `hasSegment` is whether the subject can stand for {sub}: a grant that can match nothing is no grant (the 404 rule).
CREATE OR REPLACE FUNCTION find_holdings(requests jsonb)
  RETURNS TABLE (n integer, holding json)
  LANGUAGE plpgsql STABLE SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp
  SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_bitmapscan = off SET enable_material = off
  AS $$
BEGIN
  RETURN QUERY
  SELECT p.n, json_build_object(
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
      'asked', CASE WHEN b.id IS NOT NULL THEN (
        SELECT json_agg(json_build_object(
            'n', r.n,
            'grants', g.found,
            'holdsAnything', coalesce(g.allows, false) OR EXISTS (
              SELECT FROM (SELECT 'everyone'::subject_type, '' UNION ALL SELECT 'user', r.subject
                      UNION ALL SELECT 'group', m.id FROM unnest(r.groups) AS m(id)) AS s(type, id),
                LATERAL (
                  SELECT FROM grants a
                   WHERE a.tenant_id = p."tenantId" AND a.bucket_id = b.id AND a.subject_type = s.type AND a.subject_id = s.id
                     AND a.effect = 'allow' AND (a.expires_at IS NULL OR a.expires_at > now())
                     AND (r."hasSegment" OR NOT a.is_prefix OR strpos(a.path, '{sub}') = 0)
                   LIMIT 1) AS any_of_theirs),
            -- Nearly always there is none, as one look-up for all paths says; else each path is read no further than its first upload.
            'withheld', CASE WHEN r.reads AND EXISTS (
              SELECT FROM uploads w
               WHERE w.tenant_id = p."tenantId" AND w.bucket_id = b.id AND w.key = ANY (r.paths) AND w.withheld) THEN (
              SELECT json_agg(k.path)
                FROM unnest(r.paths) AS k(path),
                  LATERAL (
                    SELECT FROM uploads w
                     WHERE w.tenant_id = p."tenantId" AND w.bucket_id = b.id AND w.key = k.path AND w.withheld
                     LIMIT 1) AS any_of_them
               WHERE k.path <> '' AND right(k.path, 1) <> '/') END))
          FROM jsonb_to_recordset(p.asked) AS r(n integer, subject text, groups text[], paths text[], "hasSegment" boolean, reads boolean),
            LATERAL (
              SELECT json_agg(json_build_object(
                       'id', c.id, 'path', c.path, 'isPrefix', c.is_prefix, 'actions', c.actions, 'effect', c.effect)) AS found,
                     bool_or(c.effect = 'allow' AND (r."hasSegment" OR NOT c.is_prefix OR strpos(c.path, '{sub}') = 0)) AS allows
                FROM (SELECT 'everyone'::subject_type, '' UNION ALL SELECT 'user', r.subject
                        UNION ALL SELECT 'group', m.id FROM unnest(r.groups) AS m(id)) AS s(type, id),
                  LATERAL (
                    SELECT * FROM grants
                     WHERE tenant_id = p."tenantId" AND bucket_id = b.id
                       AND subject_type = s.type AND subject_id = s.id AND lookup_path = ANY (r.paths)
                       AND (expires_at IS NULL OR expires_at > now())
                    OFFSET 0) AS c) AS g) END)
    FROM jsonb_to_recordset(requests) AS p(n integer, "tenantId" uuid, bucket text, "useCase" text, asked jsonb)
    LEFT JOIN buckets b ON b.tenant_id = p."tenantId" AND b.name = p.bucket
    LEFT JOIN use_cases u ON u.tenant_id = p."tenantId" AND u.name = p."useCase"
    LEFT JOIN LATERAL (
      SELECT * FROM signing_keys WHERE tenant_id = b.tenant_id AND bucket_id = b.id AND state = 'active' LIMIT 1) k ON true;
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
    SELECT a.at, a.id, a."tenantId", a.subject, a.action, a.decision, a.reason, a.bucket, a.key, a."useCase",
        CASE a.decision WHEN 'granted' THEN a.id END, a."signingKeyId", a."expiresAt", a."contentType", a."contentLength", a.url, a."clientAddress", a."userAgent",
        a."requestId", a.details, a."urlCount"
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
