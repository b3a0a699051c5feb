-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateEnum
CREATE TYPE "provider" AS ENUM ('s3');

-- CreateEnum
CREATE TYPE "acl" AS ENUM ('private', 'none');

-- CreateEnum
CREATE TYPE "signing_key_state" AS ENUM ('active', 'revoked');

-- CreateEnum
CREATE TYPE "subject_type" AS ENUM ('user', 'group', 'everyone');

-- CreateEnum
CREATE TYPE "action" AS ENUM ('read', 'write');

-- CreateEnum
CREATE TYPE "effect" AS ENUM ('allow', 'deny');

-- CreateEnum
CREATE TYPE "use_case_action" AS ENUM ('read', 'write', 'any');

-- CreateEnum
CREATE TYPE "disposition" AS ENUM ('attachment', 'inline');

-- CreateEnum
CREATE TYPE "decision" AS ENUM ('granted', 'refused');

-- CreateTable
CREATE TABLE "tenants" (
    "id" UUID NOT NULL,
    "slug" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tenants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "issuers" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "issuer" TEXT NOT NULL,
    "audience" TEXT NOT NULL,
    "algorithms" TEXT[],
    "jwks" JSONB NOT NULL,
    "platform" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "issuers_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "buckets" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "provider" "provider" NOT NULL,
    "endpoint" TEXT,
    "public_endpoint" TEXT,
    "region" TEXT NOT NULL,
    "bucket" TEXT NOT NULL,
    "key_prefix" TEXT NOT NULL DEFAULT '',
    "force_path_style" BOOLEAN NOT NULL DEFAULT false,
    "acl" "acl" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "buckets_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "signing_keys" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "bucket_id" UUID NOT NULL,
    "access_key_id" TEXT NOT NULL,
    "sealed_credential" BYTEA NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "state" "signing_key_state" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "signing_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "grants" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "bucket_id" UUID NOT NULL,
    "subject_type" "subject_type" NOT NULL,
    "subject_id" TEXT NOT NULL,
    "path" TEXT NOT NULL,
    "is_prefix" BOOLEAN NOT NULL,
    "lookup_path" TEXT NOT NULL,
    "actions" "action"[],
    "effect" "effect" NOT NULL DEFAULT 'allow',
    "expires_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "grants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "use_cases" (
    "tenant_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "action" "use_case_action" NOT NULL,
    "min_expiry_seconds" INTEGER NOT NULL,
    "default_expiry_seconds" INTEGER,
    "max_expiry_seconds" INTEGER NOT NULL,
    "content_types" TEXT[],
    "min_content_length" BIGINT,
    "max_content_length" BIGINT,
    "overwrite" BOOLEAN NOT NULL DEFAULT false,
    "disposition" "disposition",
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "use_cases_pkey" PRIMARY KEY ("tenant_id","name")
);

-- CreateTable
CREATE TABLE "ledger" (
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "subject" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "decision" "decision" NOT NULL,
    "reason" TEXT,
    "bucket" TEXT,
    "key" TEXT,
    "use_case" TEXT,
    "issuance_id" UUID,
    "signing_key_id" UUID,
    "expires_at" TIMESTAMPTZ(3),
    "content_type" TEXT,
    "content_length" BIGINT,
    "url" TEXT,
    "client_address" TEXT,
    "user_agent" TEXT,
    "request_id" TEXT NOT NULL,
    "details" JSONB,

    CONSTRAINT "ledger_pkey" PRIMARY KEY ("at","id")
) PARTITION BY RANGE ("at");

-- Takes what no month's partition takes: a row is never refused for want of one.
CREATE TABLE "ledger_default" PARTITION OF "ledger" DEFAULT;

-- CreateIndex
CREATE UNIQUE INDEX "tenants_slug_key" ON "tenants"("slug");

-- CreateIndex
CREATE UNIQUE INDEX "issuers_issuer_audience_key" ON "issuers"("issuer", "audience");

-- CreateIndex
CREATE UNIQUE INDEX "issuers_tenant_id_id_key" ON "issuers"("tenant_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "buckets_tenant_id_name_key" ON "buckets"("tenant_id", "name");

-- CreateIndex
CREATE UNIQUE INDEX "buckets_tenant_id_id_key" ON "buckets"("tenant_id", "id");

-- CreateIndex
CREATE INDEX "grants_tenant_id_bucket_id_subject_type_subject_id_lookup_p_idx" ON "grants"("tenant_id", "bucket_id", "subject_type", "subject_id", "lookup_path");

-- CreateIndex
CREATE INDEX "ledger_tenant_id_at_id_idx" ON "ledger"("tenant_id", "at", "id");

-- AddForeignKey
ALTER TABLE "issuers" ADD CONSTRAINT "issuers_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "buckets" ADD CONSTRAINT "buckets_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "signing_keys" ADD CONSTRAINT "signing_keys_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "signing_keys" ADD CONSTRAINT "signing_keys_tenant_id_bucket_id_fkey" FOREIGN KEY ("tenant_id", "bucket_id") REFERENCES "buckets"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "grants" ADD CONSTRAINT "grants_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "grants" ADD CONSTRAINT "grants_tenant_id_bucket_id_fkey" FOREIGN KEY ("tenant_id", "bucket_id") REFERENCES "buckets"("tenant_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "use_cases" ADD CONSTRAINT "use_cases_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- At most one active key a bucket, whatever a rotation does. Prisma's schema language can say so only as a preview, which migrates it anew
-- each time (prisma/orm#29263).
CREATE UNIQUE INDEX "signing_keys_one_active" ON "signing_keys"("tenant_id", "bucket_id") WHERE "state" = 'active';

-- What the API checks, the tables hold to as well.
ALTER TABLE "use_cases" ADD CONSTRAINT "use_cases_expiry" CHECK (
  1 <= "min_expiry_seconds" AND "min_expiry_seconds" <= "max_expiry_seconds" AND "max_expiry_seconds" <= 604800
  AND ("default_expiry_seconds" IS NULL OR "default_expiry_seconds" BETWEEN "min_expiry_seconds" AND "max_expiry_seconds"));
ALTER TABLE "grants" ADD CONSTRAINT "grants_subject" CHECK (("subject_type" = 'everyone') = ("subject_id" = ''));
ALTER TABLE "grants" ADD CONSTRAINT "grants_path" CHECK (CASE WHEN "is_prefix" THEN "path" = '' OR "path" LIKE '%/' ELSE "path" <> '' END);
ALTER TABLE "grants" ADD CONSTRAINT "grants_actions" CHECK (cardinality("actions") > 0);
