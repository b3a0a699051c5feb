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
  /** Another one as soon as anything of the above, but for the tenant, is another. */
  version: string;
}

export interface Tenant {
  id: string;
  state: 'active' | 'suspended';
}

interface Claimed {
  issuer: string;
  audiences: string[];
}

/**
 * The look-up of a token's issuer. Nothing is cached: an issuer that is gone or changed is so from the next request on. What many ask in
 * one batch is asked once.
 */
@Injectable()
export class Issuers {
  readonly #issuers: Coalescer<Claimed, Issuer | null>;
  readonly #tenants: Coalescer<{ issuerId: string; slug: string }, Tenant | null>;

  constructor(database: Database) {
    this.#issuers = database.coalescer(
      'find_issuers',
      async (requests) => {
        // Names hold no control characters.
        const { distinct, places } = distinguish(requests, ({ issuer, audiences }) =>
          audiences.length === 1 ? `${issuer}\n${audiences[0]}` : [issuer, ...audiences].join('\n'),
        );
        const rows = await database.call<{ n: number; issuer: Omit<Issuer, 'version'> }>(
          'find_issuers',
          numbered(distinct),
          requests.length,
        );
        const found: Issuer[][] = distinct.map(() => []);
        for (const { n, issuer } of rows) found[n]?.push({ ...issuer, version: versionOf(issuer) });
        const only = found.map(([issuer, another]) => (another ? null : (issuer ?? null)));
        return places.map((place) => only[place] ?? null);
      },
      2,
    );
    this.#tenants = database.coalescer(
      'find_tenants',
      async (requests) => {
        const { distinct, places } = distinguish(requests, ({ issuerId, slug }) => `${issuerId}\n${slug}`);
        const rows = await database.call<{ n: number; tenant: Tenant }>(
          'find_tenants',
          numbered(distinct),
          requests.length,
        );
        const found = new Map(rows.map(({ n, tenant }) => [n, tenant]));
        return places.map((place) => found.get(place) ?? null);
      },
      2,
    );
  }

  /** The issuer that these claims name, or null. Claims that name two are believed for neither: which tenant would it be? */
  find(claimed: Claimed): Promise<Issuer | null> {
    return this.#issuers.request(claimed);
  }

  /** The tenant of this slug, where the issuer may speak for it, or null. */
  findTenant(issuerId: string, slug: string): Promise<Tenant | null> {
    return this.#tenants.request({ issuerId, slug });
  }
}

const numbered = (requests: readonly object[]): object[] => requests.map((request, n) => ({ n, ...request }));

/** The different ones among requests, and of each request the place among these. */
function distinguish<Request>(requests: readonly Request[], idOf: (request: Request) => string) {
  const distinct: Request[] = [];
  const placeOf = new Map<string, number>();
  const places = requests.map((request) => {
    const id = idOf(request);
    const place = placeOf.get(id) ?? distinct.push(request) - 1;
    placeOf.set(id, place);
    return place;
  });
  return { distinct, places };
}

const versionOf = ({ tenant: _, ...issuer }: Omit<Issuer, 'version'>): string => JSON.stringify(issuer);
