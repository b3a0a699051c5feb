-- How much of its rate limit each tenant, and each subject of one, has used, over all replicas: only of those that use much. It drains as
-- time goes by. Unlogged: a crash of the database forgets some seconds' use, and nobody waits for a disk because of it.
CREATE UNLOGGED TABLE "used_quotas" (
    "tenant_id" UUID NOT NULL,
    "subject" TEXT NOT NULL,
    "used" DOUBLE PRECISION NOT NULL,
    "per_second" DOUBLE PRECISION NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "used_quotas_pkey" PRIMARY KEY ("tenant_id", "subject")
);
CREATE INDEX "used_quotas_at" ON "used_quotas"("at");

-- Nobody's to read: the function below is all there is.
ALTER TABLE used_quotas ENABLE ROW LEVEL SECURITY;
ALTER TABLE used_quotas FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON used_quotas TO CURRENT_USER USING (true) WITH CHECK (true);

-- Adds what a replica saw used, and gives in the same order what all replicas together have.
--   requests: [{ tenantId, subject: null for the whole tenant, count, perSecond: how much of it drains }]
CREATE FUNCTION use_quotas(requests jsonb) RETURNS json
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp
  SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  AS $$
DECLARE
  used json;
BEGIN
  -- A quota is ten seconds' worth: by then it has drained. Skipping what another replica removes just now: nobody waits for that.
  DELETE FROM used_quotas WHERE ctid = ANY (ARRAY(
    SELECT q.ctid FROM used_quotas q WHERE q.at < clock_timestamp() - interval '15 seconds' LIMIT 1000 FOR UPDATE SKIP LOCKED));

  WITH asked AS MATERIALIZED (
    SELECT r.ordinality, (r.request ->> 'tenantId')::uuid AS tenant_id, coalesce(r.request ->> 'subject', '') AS subject,
           (r.request ->> 'count')::float8 AS count, (r.request ->> 'perSecond')::float8 AS per_second
      FROM jsonb_array_elements(requests) WITH ORDINALITY AS r(request, ordinality)
  ), added AS (
    -- In one order, so that two replicas never wait for each other.
    INSERT INTO used_quotas AS q (tenant_id, subject, used, per_second, at)
    SELECT a.tenant_id, a.subject, a.count, a.per_second, clock_timestamp() FROM asked a ORDER BY a.tenant_id, a.subject
    ON CONFLICT (tenant_id, subject) DO UPDATE
      SET used = greatest(0, q.used - greatest(0, extract(epoch FROM excluded.at - q.at)::float8) * excluded.per_second) + excluded.used,
          per_second = excluded.per_second, at = greatest(q.at, excluded.at)
    RETURNING q.tenant_id, q.subject, q.used
  )
  SELECT json_agg(d.used ORDER BY a.ordinality) INTO used
    FROM asked a JOIN added d ON d.tenant_id = a.tenant_id AND d.subject = a.subject;
  RETURN used;
END
$$;

REVOKE EXECUTE ON FUNCTION use_quotas(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION use_quotas(jsonb) TO countersign_issuer;
