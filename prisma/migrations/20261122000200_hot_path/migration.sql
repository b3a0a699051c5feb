-- The hot path: everything that countersign_issuer may do. Each function takes whatever requests are waiting, as one JSON
-- array whose elements carry their place `n`, and gives back one row a request with that `n`.
-- SECURITY DEFINER with a fixed search_path: the caller has no privilege on any table, and can put nothing in the way.

-- Who may have signed this token? Zero, one or more issuers for each (iss, aud) of an unverified token.
CREATE FUNCTION find_issuers(requests jsonb)
  RETURNS TABLE (n integer, issuer json)
  LANGUAGE plpgsql STABLE SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp
  SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  AS $$
BEGIN
  RETURN QUERY
  SELECT r.n, json_build_object(
      'id', i.id, 'tenantId', i.tenant_id, 'algorithms', i.algorithms, 'jwks', i.jwks, 'platform', i.platform)
    FROM jsonb_to_recordset(requests) AS r(n integer, issuer text, audiences text[])
    JOIN issuers i ON i.issuer = r.issuer AND i.audience = ANY (r.audiences);
END
$$;

-- All that deciding one request takes, in one read: bucket, use case, active signing key, and the live grants whose index
-- entries are the key's ancestors. So the cost grows with the depth of the key, not with the number of grants; the plan is
-- pinned to index look-ups, since the planner cannot know how few candidates a request has: LIMIT and OFFSET keep it from reading a path's
-- grants of all subjects and joining these afterwards.
--   requests: [{ n, tenantId, bucket, useCase, subjectTypes[], subjectIds[], paths[], hasSegment }]
--   `hasSegment` is whether the subject can stand for {sub}: a grant that can match nothing is no grant (the 404 rule).
CREATE FUNCTION find_holdings(requests jsonb)
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
        'overwrite', u.overwrite, 'disposition', u.disposition) END,
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
             LIMIT 1) AS any_of_theirs))
    FROM jsonb_to_recordset(requests) AS r(n integer, "tenantId" uuid, bucket text, "useCase" text,
           "subjectTypes" text[], "subjectIds" text[], paths text[], "hasSegment" boolean)
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

-- The append. First the signing keys' shared advisory locks, and only then, in a later statement and so with a fresh
-- snapshot, the insert, which leaves out rows whose signing key is not active. A rotation takes the exclusive lock: whatever it
-- then counts under the old key is all there will ever be. A row left out has no row in the answer.
CREATE FUNCTION append_to_ledger(entries jsonb)
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
             "userAgent" text, "requestId" text, details jsonb)
     WHERE e."signingKeyId" IS NULL OR EXISTS (
       SELECT FROM signing_keys k WHERE k.id = e."signingKeyId" AND k.tenant_id = e."tenantId" AND k.state = 'active')
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

-- Of every signing key, the advisory lock that issuing shares and a rotation takes alone.
CREATE FUNCTION signing_key_lock(signing_key_id uuid) RETURNS bigint
  LANGUAGE sql IMMUTABLE STRICT
  AS $$ SELECT hashtextextended('countersign.signing-key:' || signing_key_id::text, 0) $$;

-- Which migrations stand in this database? For readiness: the table itself belongs to Prisma, and to the owner.
CREATE FUNCTION applied_migrations() RETURNS SETOF text
  LANGUAGE plpgsql STABLE SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp
  AS $$
BEGIN
  RETURN QUERY SELECT m.migration_name::text FROM _prisma_migrations m WHERE m.finished_at IS NOT NULL AND m.rolled_back_at IS NULL;
END
$$;

REVOKE EXECUTE ON FUNCTION
  find_issuers(jsonb), find_holdings(jsonb), append_to_ledger(jsonb), signing_key_lock(uuid), applied_migrations() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
  find_issuers(jsonb), find_holdings(jsonb), append_to_ledger(jsonb), applied_migrations() TO countersign_issuer;

-- The owner's: makes the partitions of this month and the next ones; `npm run db:migrate` calls it, and so should a monthly job.
-- Rows that arrived before their partition stand in the default one and move, so it can be called late without harm.
CREATE FUNCTION create_ledger_partitions(months integer DEFAULT 3) RETURNS SETOF text
  LANGUAGE plpgsql
  SET timezone = 'UTC'
  AS $$
DECLARE
  first_day date;
  partition_name text;
BEGIN
  FOR i IN 0..months LOOP
    first_day := (date_trunc('month', now()) + make_interval(months => i))::date;
    partition_name := 'ledger_' || to_char(first_day, 'YYYY_MM');
    CONTINUE WHEN to_regclass('public.' || partition_name) IS NOT NULL;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.ledger INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)', partition_name);
    LOCK TABLE public.ledger_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('WITH moved AS (DELETE FROM public.ledger_default WHERE at >= %L AND at < %L RETURNING *)'
      || ' INSERT INTO public.%I SELECT * FROM moved',
      first_day::timestamptz, (first_day + interval '1 month')::timestamptz, partition_name);
    EXECUTE format('ALTER TABLE public.ledger ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
      partition_name, first_day::timestamptz, (first_day + interval '1 month')::timestamptz);
    RETURN NEXT partition_name;
  END LOOP;
END
$$;
REVOKE EXECUTE ON FUNCTION create_ledger_partitions(integer) FROM PUBLIC;
