import { isDeepStrictEqual } from 'node:util';
import { asOwner, type Transaction } from '@countersign/database';
import { addIssuer } from '../issuers/issuers.js';
import type { IssuerRequest } from '../issuers/issuers.dto.js';
import type { TenantRequest } from '../tenants/tenants.dto.js';
import { addTenant } from '../tenants/tenants.js';
import type { Options } from './options.js';

/** What the ledger notes of whoever can reach the database itself. */
const ASKER = { subject: 'system:platform-init', clientAddress: null, userAgent: null, requestId: 'platform-init' };

/** It was not done, and nothing was changed. */
export class Refusal extends Error {}

/**
 * Makes the platform's tenant and issuer where they are missing, and says of each what it found. All in one transaction, recorded in the
 * ledger by the rules of POST /tenants and POST /issuers, and one run at a time.
 * @param url of the owner, or of a login in countersign_operator
 * @throws Refusal
 */
export async function initPlatform(url: string, { tenant, issuer, isForced }: Options): Promise<string[]> {
  return asOwner(url, async (transaction) => {
    await transaction.$queryRaw`SELECT 1 FROM pg_advisory_xact_lock(hashtextextended('countersign.platform-init', 0))`;
    const isThere = await isIssuerThere(transaction, issuer);
    if (!isThere && !isForced) await refuseAnother(transaction);
    const { tenantId, isNew } = await ensureTenant(transaction, tenant);
    if (!isThere) await addIssuer(transaction, { ...ASKER, tenantId }, issuer);
    return [
      `tenant "${tenant.slug}": ${isNew ? 'made' : 'there already'}`,
      `platform issuer "${issuer.issuer}" for audience "${issuer.audience}": ${isThere ? 'there already' : 'made'}`,
    ];
  });
}

async function ensureTenant(transaction: Transaction, request: TenantRequest) {
  const known = await transaction.tenant.findUnique({ where: { slug: request.slug } });
  if (!known) return { tenantId: (await addTenant(transaction, ASKER, request)).id, isNew: true };
  if (known.state === 'suspended')
    throw new Refusal(`The tenant "${request.slug}" is suspended: its tokens are refused. Choose another --tenant.`);
  return { tenantId: known.id, isNew: false };
}

async function isIssuerThere(transaction: Transaction, request: IssuerRequest): Promise<boolean> {
  const { issuer, audience, platform: _, ...wanted } = request;
  const where = { issuer_audience: { issuer, audience } };
  const known = await transaction.issuer.findUnique({ where, include: { tenant: true } });
  if (!known) return false;
  const what = `There is an issuer "${issuer}" for audience "${audience}" already`;
  if (!known.platform) throw new Refusal(`${what}, and it is no platform issuer: choose another --audience.`);
  const found = { ...known, tenant: known.tenant?.slug } as Record<string, unknown>;
  const differing = Object.entries(wanted).find(
    ([field, value]) => value !== undefined && !isDeepStrictEqual(plain(found[field]), plain(value)),
  );
  if (differing) {
    throw new Refusal(`${what}, with another ${differing[0]}. To change it: PATCH /issuers/${known.id}.`);
  }
  return true;
}

/** JSON, as it was and as it is stored. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

/**
 * One who has the operator's database access could make any number of platform issuers; one who merely repeats an old command, with
 * another issuer in it, should not open a second door without knowing.
 */
async function refuseAnother(transaction: Transaction): Promise<void> {
  const other = await transaction.issuer.findFirst({ where: { platform: true }, orderBy: { createdAt: 'asc' } });
  if (!other) return;
  throw new Refusal(
    `There is a platform issuer already: "${other.issuer}" for audience "${other.audience}". With a token of it, POST /issuers ` +
      'makes another one; where its keys are lost, --force does.',
  );
}
