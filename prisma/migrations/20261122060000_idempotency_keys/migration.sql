-- What was made for a request with an Idempotency-Key: its issuances' terms, never a URL, or its answer. Kept for a day.
-- No foreign key, as uploads have none: the hot path writes here.
CREATE TABLE "idempotency_keys" (
    "tenant_id" UUID NOT NULL,
    "subject" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "issuances" JSONB,
    "answer" TEXT,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("tenant_id", "subject", "key")
);
CREATE INDEX "idempotency_keys_expires_at" ON "idempotency_keys"("expires_at");
ALTER TABLE "idempotency_keys" ADD CONSTRAINT "idempotency_keys_one_kind" CHECK (("issuances" IS NULL) <> ("answer" IS NULL));

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON idempotency_keys TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY own_tenant ON idempotency_keys TO countersign_api
  USING (tenant_id = current_tenant_id()) WITH CHECK (tenant_id = current_tenant_id());
CREATE POLICY across_tenants ON idempotency_keys TO countersign_operator USING (true) WITH CHECK (true);

-- Administration keeps answers. Terms are signed again without a second row of the ledger, so only the append below, which writes the
-- first, may keep any.
GRANT SELECT (tenant_id, subject, key, fingerprint, answer, expires_at), INSERT (tenant_id, subject, key, fingerprint, answer, expires_at),
  DELETE ON idempotency_keys TO countersign_api, countersign_operator;
-- Only for FOR UPDATE: what is over is removed without waiting for whoever is using its key anew.
GRANT UPDATE (expires_at) ON idempotency_keys TO countersign_operator;

-- What is kept under these keys; no row where there is nothing.
--   requests: [{ n, tenantId, subject, key }]
CREATE FUNCTION find_idempotency_keys(requests jsonb)
  RETURNS TABLE (n integer, fingerprint text, issuances jsonb)
  LANGUAGE plpgsql STABLE SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp
  SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  AS $$
BEGIN
  RETURN QUERY
  SELECT r.n, k.fingerprint, k.issuances
    FROM jsonb_to_recordset(requests) AS r(n integer, "tenantId" uuid, subject text, key text)
    JOIN idempotency_keys k ON k.tenant_id = r."tenantId" AND k.subject = r.subject AND k.key = r.key AND k.expires_at > now();
END
$$;

-- The append of requests that have a key: all of a request's entries with what is kept of them, or nothing of the request. Nothing where
-- its key is kept already for another request or for one of these issuances, and nothing where one of its signing keys is not active.
-- Gives the `n` of those that are on record.
--   requests: [{ n, tenantId, subject, key, fingerprint, issuances: { <item>: <text> }, entries: [as append_to_ledger has them], rows }],
--   where `rows` is how many rows the entries stand for.
CREATE FUNCTION append_once(requests jsonb) RETURNS SETOF integer
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp
  SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  AS $$
DECLARE
  recorded integer[];
  entries jsonb;
  expected bigint;
BEGIN
  -- Before any key's row, as everybody has it: two appends, or one and a rotation, can then never wait for each other. And whether a signing
  -- key is active stays as it is until this is committed.
  PERFORM pg_advisory_xact_lock_shared(signing_key_lock(s.id))
    FROM (SELECT DISTINCT e."signingKeyId" AS id
            FROM jsonb_to_recordset(requests) AS r(entries jsonb), jsonb_to_recordset(r.entries) AS e("signingKeyId" uuid)
           WHERE e."signingKeyId" IS NOT NULL ORDER BY 1) AS s;

  WITH asked AS MATERIALIZED (
    -- Of those that came together with one key, one.
    SELECT DISTINCT ON (r."tenantId", r.subject, r.key) r.*
      FROM jsonb_to_recordset(requests) AS r(n integer, "tenantId" uuid, subject text, key text, fingerprint text, issuances jsonb, entries jsonb, rows integer)
     WHERE NOT EXISTS (
       SELECT FROM jsonb_to_recordset(r.entries) AS e("signingKeyId" uuid)
        WHERE e."signingKeyId" IS NOT NULL AND NOT EXISTS (
          SELECT FROM signing_keys s WHERE s.id = e."signingKeyId" AND s.tenant_id = r."tenantId" AND s.state = 'active'))
     ORDER BY r."tenantId", r.subject, r.key, r.n
  ), kept AS (
    -- In one order too. Whoever comes second waits for the first one's commit, and then has nothing to insert.
    INSERT INTO idempotency_keys AS k (tenant_id, subject, key, fingerprint, issuances, expires_at)
    SELECT a."tenantId", a.subject, a.key, a.fingerprint, a.issuances, now() + interval '24 hours'
      FROM asked a ORDER BY a."tenantId", a.subject, a.key
    ON CONFLICT (tenant_id, subject, key) DO UPDATE
      SET fingerprint = excluded.fingerprint, answer = NULL,
          issuances = CASE WHEN k.expires_at > now() THEN k.issuances ELSE '{}' END || excluded.issuances,
          expires_at = CASE WHEN k.expires_at > now() THEN k.expires_at ELSE excluded.expires_at END
      WHERE k.expires_at <= now() OR (k.fingerprint = excluded.fingerprint
        AND NOT k.issuances ?| ARRAY(SELECT jsonb_object_keys(excluded.issuances)))
    RETURNING k.tenant_id, k.subject, k.key
  ), won AS (
    SELECT a.n, a.entries, a.rows FROM asked a JOIN kept k ON k.tenant_id = a."tenantId" AND k.subject = a.subject AND k.key = a.key
  )
  SELECT array_agg(w.n), coalesce((SELECT jsonb_agg(e) FROM won v, jsonb_array_elements(v.entries) AS e), '[]'), coalesce(sum(w.rows), 0)
    INTO recorded, entries, expected FROM won w;

  IF (SELECT count(*) FROM append_to_ledger(entries)) <> expected THEN
    RAISE EXCEPTION 'append_to_ledger left out an entry whose key is kept';
  END IF;
  RETURN QUERY SELECT unnest(recorded);
END
$$;

REVOKE EXECUTE ON FUNCTION find_idempotency_keys(jsonb), append_once(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_idempotency_keys(jsonb), append_once(jsonb) TO countersign_issuer;
