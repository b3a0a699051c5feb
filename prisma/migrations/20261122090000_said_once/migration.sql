-- Both functions have another parameter's name than before, by which they are called: a process of this version cannot use a database without this
-- migration, where what it says would be read otherwise.

-- As before, but that what is found is told flat: a row for each grant, under the `n` of who asked. To gather them for each took as long as to find
-- them. And whether anything is withheld is asked once for a bucket, before the keys are.
--   places: [{ n, tenantId, bucket, useCase, reads, asked: [{ n, subject, groups[], paths[], hasSegment }] }]
--   gives, among what it gave: asked: [[n, id, path, isPrefix, actions, effect, holdsAnything]], without a grant (null) for who has none there;
--     withheld: [key] of the paths, where `reads` says that any of them is to be read
DROP FUNCTION find_holdings(jsonb);
CREATE FUNCTION find_holdings(places jsonb)
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
        SELECT json_agg(json_build_array(r.n, c.id, c.path, c.is_prefix, c.actions, c.effect,
            -- Where no grant of these says it, the first one's row looks for any: once, however many there are.
            CASE WHEN c.effect = 'allow' AND (r."hasSegment" OR NOT c.is_prefix OR strpos(c.path, '{sub}') = 0) THEN true
                 WHEN c.nth > 1 THEN false ELSE EXISTS (
              SELECT FROM (SELECT 'everyone'::subject_type, '' UNION ALL SELECT 'user', r.subject
                      UNION ALL SELECT 'group', m.id FROM unnest(r.groups) AS m(id)) AS s(type, id),
                LATERAL (
                  SELECT FROM grants a
                   WHERE a.tenant_id = p."tenantId" AND a.bucket_id = b.id AND a.subject_type = s.type AND a.subject_id = s.id
                     AND a.effect = 'allow' AND (a.expires_at IS NULL OR a.expires_at > now())
                     AND (r."hasSegment" OR NOT a.is_prefix OR strpos(a.path, '{sub}') = 0)
                   LIMIT 1) AS any_of_theirs) END))
          FROM jsonb_to_recordset(p.asked) AS r(n integer, subject text, groups text[], paths text[], "hasSegment" boolean)
          LEFT JOIN LATERAL (
            SELECT g.*, row_number() OVER () AS nth
              FROM (SELECT 'everyone'::subject_type, '' UNION ALL SELECT 'user', r.subject
                      UNION ALL SELECT 'group', m.id FROM unnest(r.groups) AS m(id)) AS s(type, id),
                LATERAL (
                  SELECT * FROM grants
                   WHERE tenant_id = p."tenantId" AND bucket_id = b.id
                     AND subject_type = s.type AND subject_id = s.id AND lookup_path = ANY (r.paths)
                     AND (expires_at IS NULL OR expires_at > now())
                  OFFSET 0) AS g) AS c ON true) END,
      -- Most buckets have none, as one look-up says (no EXISTS, which PostgreSQL might answer by a hash of them all). Else there is then one for all paths of who asks,
      -- and each path is read no further than its first upload.
      'withheld', CASE WHEN p.reads AND (
          SELECT true FROM uploads w WHERE w.tenant_id = p."tenantId" AND w.bucket_id = b.id AND w.withheld LIMIT 1) THEN (
        SELECT json_agg(k.path)
          FROM jsonb_to_recordset(p.asked) AS r(paths text[]),
            LATERAL (
              SELECT FROM uploads w
               WHERE w.tenant_id = p."tenantId" AND w.bucket_id = b.id AND w.key = ANY (r.paths) AND w.withheld
               LIMIT 1) AS any_of_all,
            unnest(r.paths) AS k(path),
            LATERAL (
              SELECT FROM uploads w
               WHERE w.tenant_id = p."tenantId" AND w.bucket_id = b.id AND w.key = k.path AND w.withheld
               LIMIT 1) AS any_of_them
         WHERE k.path <> '' AND right(k.path, 1) <> '/') END)
    FROM jsonb_to_recordset(places) AS p(n integer, "tenantId" uuid, bucket text, "useCase" text, reads boolean, asked jsonb)
    LEFT JOIN buckets b ON b.tenant_id = p."tenantId" AND b.name = p.bucket
    LEFT JOIN use_cases u ON u.tenant_id = p."tenantId" AND u.name = p."useCase"
    LEFT JOIN LATERAL (
      SELECT * FROM signing_keys WHERE tenant_id = b.tenant_id AND bucket_id = b.id AND state = 'active' LIMIT 1) k ON true;
END
$$;

-- As before, but that a row may say anything otherwise than its entry does, its caller too: so an entry stands for the lone requests of many.
--   written: [{ tenantId, action, decision, reason, bucket, useCase, signingKeyId, expiresAt, rotationId, urlCount, urlBefore,
--     subject, clientAddress, userAgent, requestId, contentType, contentLength, details, upload,
--     rows: [{ n, id, key, url, stableUrls, and of the second line above whatever differs }] }]
--   A row without a URL has `urlBefore` and its key for one. An entry without `rows` is a row itself.
DROP FUNCTION append_to_ledger(jsonb);
CREATE FUNCTION append_to_ledger(written jsonb)
  RETURNS TABLE (n integer, at timestamptz)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp
  SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  AS $$
BEGIN
  -- In one order, always: two appends can then never wait for each other.
  PERFORM pg_advisory_xact_lock_shared(signing_key_lock(k.id))
    FROM (SELECT DISTINCT e."signingKeyId" AS id FROM jsonb_to_recordset(written) AS e("signingKeyId" uuid)
           WHERE e."signingKeyId" IS NOT NULL ORDER BY 1) AS k;

  RETURN QUERY
  WITH accepted AS MATERIALIZED (
    SELECT coalesce(r.n, e.n) AS n, coalesce(r.id, e.id) AS id, e."tenantId", coalesce(r.subject, e.subject) AS subject, e.action, e.decision,
        e.reason, e.bucket, coalesce(r.key, e.key) AS key, e."useCase", e."signingKeyId", e."expiresAt",
        coalesce(r."contentType", e."contentType") AS "contentType", coalesce(r."contentLength", e."contentLength") AS "contentLength",
        coalesce(r.url, e.url, e."urlBefore" || coalesce(r.key, e.key)) AS url, coalesce(r."clientAddress", e."clientAddress") AS "clientAddress",
        coalesce(r."userAgent", e."userAgent") AS "userAgent", coalesce(r."requestId", e."requestId") AS "requestId",
        coalesce(r.details, e.details) AS details, e."urlCount", coalesce(r."stableUrls", e."stableUrls") AS "stableUrls",
        coalesce(r.upload, e.upload) AS upload, clock_timestamp()::timestamptz(3) AS at
      FROM jsonb_to_recordset(written) AS e(n integer, id uuid, "tenantId" uuid, subject text, action text, decision decision,
             reason text, bucket text, key text, "useCase" text, "signingKeyId" uuid, "expiresAt" timestamptz, "contentType" text,
             "contentLength" bigint, url text, "urlBefore" text, "clientAddress" text, "userAgent" text, "requestId" text, details jsonb,
             "rotationId" uuid, "urlCount" integer, "stableUrls" uuid[], upload jsonb, rows jsonb)
      LEFT JOIN LATERAL jsonb_to_recordset(e.rows) AS r(n integer, id uuid, subject text, key text, "contentType" text, "contentLength" bigint,
             url text, "clientAddress" text, "userAgent" text, "requestId" text, details jsonb, "stableUrls" uuid[], upload jsonb) ON true
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

REVOKE EXECUTE ON FUNCTION find_holdings(jsonb), append_to_ledger(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_holdings(jsonb), append_to_ledger(jsonb) TO countersign_issuer;
