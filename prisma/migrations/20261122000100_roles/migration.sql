-- Invariant 6: tenants are kept apart by the database as well as by the query. Three runtime roles, none of them owner or
-- superuser. They are group roles (NOLOGIN): each installation makes logins of its own and puts them in.
--   countersign_api       administration, one tenant at a time, under forced row-level security
--   countersign_issuer    the hot path: no table privileges, only EXECUTE on its functions (the next migration)
--   countersign_operator  what a platform does across tenants
-- Roles belong to the cluster, not to the database: another database, or the shadow database, may have made them already.
DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['countersign_api', 'countersign_issuer', 'countersign_operator'] LOOP
    -- Where an administrator made them, the owner need not be one who may.
    CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = role_name);
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS', role_name);
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL;
    END;
  END LOOP;
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO countersign_api, countersign_issuer, countersign_operator;

-- The tenant of this transaction; NULL, and so no row at all, where none was set.
CREATE FUNCTION current_tenant_id() RETURNS uuid
  LANGUAGE sql STABLE
  AS $$ SELECT nullif(current_setting('countersign.tenant_id', true), '')::uuid $$;

-- Forced: it binds the tables' owner too. The owner's own policy is explicit, so that its SECURITY DEFINER functions work
-- where the owner is no superuser.
DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['issuers', 'buckets', 'signing_keys', 'grants', 'use_cases', 'ledger'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY owner ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', t);
    EXECUTE format('CREATE POLICY own_tenant ON %I TO countersign_api'
      || ' USING (tenant_id = current_tenant_id()) WITH CHECK (tenant_id = current_tenant_id())', t);
    EXECUTE format('CREATE POLICY across_tenants ON %I TO countersign_operator USING (true) WITH CHECK (true)', t);
  END LOOP;
END
$$;

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON tenants TO CURRENT_USER USING (true) WITH CHECK (true);
CREATE POLICY own_tenant ON tenants TO countersign_api USING (id = current_tenant_id()) WITH CHECK (id = current_tenant_id());
CREATE POLICY across_tenants ON tenants TO countersign_operator USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON buckets, grants, use_cases TO countersign_api;
-- Administration puts secrets in and never reads them back: not even the sealed ones.
GRANT INSERT ON signing_keys TO countersign_api;
GRANT SELECT (id, tenant_id, bucket_id, access_key_id, expires_at, state, created_at) ON signing_keys TO countersign_api;

GRANT SELECT, INSERT ON tenants, issuers TO countersign_operator;
GRANT INSERT ON use_cases TO countersign_operator;

-- Invariant 7: append-only. No runtime role has UPDATE, DELETE or TRUNCATE, and none has any privilege on a partition itself.
GRANT SELECT, INSERT ON ledger TO countersign_api;
GRANT INSERT ON ledger TO countersign_operator;
