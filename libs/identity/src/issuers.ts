import { Injectable } from '@nestjs/common';
import { type Coalescer, Database } from '@countersign/database';
import type { JsonWebKeySet } from './jwks.js';

/** An OpenID issuer whose JWTs are trusted. */
export interface Issuer {
  id: string;
  algorithms: string[];
  /** Either the keys, */
  jwks: JsonWebKeySet | null;
  /** or where they are fetched. */
  jwksUri: string | null;
  platform: boolean;
  subjectClaim: string;
  groupsClaim: string;
  scopeClaim: string;
  scopePrefix: string;
  /** Either the one tenant, */
  tenant: Tenant | null;
  /** or the claim that holds the tenant's slug. */
  tenantClaim: string | null;
}

export interface Tenant {
  id: string;
  state: 'active' | 'suspended';
}

interface Claimed {
  issuer: string;
  audiences: string[];
}

/** The look-up of a token's issuer. Nothing is cached: an issuer that is gone or changed is so from the next request on. */
@Injectable()
export class Issuers {
  readonly #issuers: Coalescer<Claimed, Issuer[]>;
  readonly #tenants: Coalescer<{ issuerId: string; slug: string }, Tenant | null>;

  constructor(database: Database) {
    this.#issuers = database.coalescer(
      'find_issuers',
      async (requests) => {
        const rows = await database.call<{ n: number; issuer: Issuer }>('find_issuers', numbered(requests));
        return requests.map((_, n) => rows.filter((row) => row.n === n).map((row) => row.issuer));
      },
      2,
    );
    this.#tenants = database.coalescer(
      'find_tenants',
      async (requests) => {
        const rows = await database.call<{ n: number; tenant: Tenant }>('find_tenants', numbered(requests));
        return requests.map((_, n) => rows.find((row) => row.n === n)?.tenant ?? null);
      },
      2,
    );
  }

  /** The issuer that these claims name, or null. Claims that name two are believed for neither: which tenant would it be? */
  async find(claimed: Claimed): Promise<Issuer | null> {
    const [issuer, another] = await this.#issuers.request(claimed);
    return another ? null : (issuer ?? null);
  }

  /** The tenant of this slug, where the issuer may speak for it, or null. */
  findTenant(issuerId: string, slug: string): Promise<Tenant | null> {
    return this.#tenants.request({ issuerId, slug });
  }
}

const numbered = (requests: readonly object[]): object[] => requests.map((request, n) => ({ n, ...request }));
