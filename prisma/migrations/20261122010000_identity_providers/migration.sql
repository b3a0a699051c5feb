-- Identity in the wild: keys that are fetched, one identity provider for many tenants, claims by the names that a provider gives them; and
-- tenants that can be suspended.
CREATE TYPE "tenant_state" AS ENUM ('active', 'suspended');
ALTER TABLE "tenants" ADD COLUMN "state" "tenant_state" NOT NULL DEFAULT 'active';

DROP INDEX "issuers_tenant_id_id_key";
ALTER TABLE "issuers"
  ALTER COLUMN "tenant_id" DROP NOT NULL,
  ALTER COLUMN "jwks" DROP NOT NULL,
  ADD COLUMN "jwks_uri" TEXT,
  ADD COLUMN "tenant_claim" TEXT,
  ADD COLUMN "tenant_slugs" TEXT[] DEFAULT ARRAY[]::TEXT[],
  ADD COLUMN "subject_claim" TEXT NOT NULL DEFAULT 'sub',
  ADD COLUMN "groups_claim" TEXT NOT NULL DEFAULT 'groups',
  ADD COLUMN "scope_claim" TEXT NOT NULL DEFAULT 'scope',
  ADD COLUMN "scope_prefix" TEXT NOT NULL DEFAULT '';
ALTER TABLE "issuers" ADD CONSTRAINT "issuers_one_tenant_or_a_claim" CHECK (("tenant_id" IS NULL) = ("tenant_claim" IS NOT NULL));
ALTER TABLE "issuers" ADD CONSTRAINT "issuers_one_source_of_keys" CHECK (("jwks" IS NULL) = ("jwks_uri" IS NOT NULL));

GRANT UPDATE ON tenants TO countersign_operator;
GRANT UPDATE, DELETE ON issuers TO countersign_operator;
GRANT DELETE ON signing_keys TO countersign_api;

CREATE OR REPLACE FUNCTION find_issuers(requests jsonb)
  RETURNS TABLE (n integer, issuer json)
  LANGUAGE plpgsql STABLE SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp
  SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  AS $$
BEGIN
  RETURN QUERY
  SELECT r.n, json_build_object(
      'id', i.id, 'algorithms', i.algorithms, 'jwks', i.jwks, 'jwksUri', i.jwks_uri, 'platform', i.platform,
      'subjectClaim', i.subject_claim, 'groupsClaim', i.groups_claim, 'scopeClaim', i.scope_claim, 'scopePrefix', i.scope_prefix,
      'tenantClaim', i.tenant_claim,
      'tenant', CASE WHEN t.id IS NOT NULL THEN json_build_object('id', t.id, 'state', t.state) END)
    FROM jsonb_to_recordset(requests) AS r(n integer, issuer text, audiences text[])
    JOIN issuers i ON i.issuer = r.issuer AND i.audience = ANY (r.audiences)
    LEFT JOIN tenants t ON t.id = i.tenant_id;
END
$$;

-- Which tenant does a verified token of a shared issuer mean? None, unless the issuer may speak for that slug.
CREATE FUNCTION find_tenants(requests jsonb)
  RETURNS TABLE (n integer, tenant json)
  LANGUAGE plpgsql STABLE SECURITY DEFINER
  SET search_path = pg_catalog, public, pg_temp
  SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
  AS $$
BEGIN
  RETURN QUERY
  SELECT r.n, json_build_object('id', t.id, 'state', t.state)
    FROM jsonb_to_recordset(requests) AS r(n integer, "issuerId" uuid, slug text)
    JOIN issuers i ON i.id = r."issuerId" AND i.tenant_slugs @> ARRAY[r.slug]
    JOIN tenants t ON t.slug = r.slug;
END
$$;
REVOKE EXECUTE ON FUNCTION find_tenants(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_tenants(jsonb) TO countersign_issuer;
