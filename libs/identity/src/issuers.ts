import { Injectable } from '@nestjs/common';
import { Coalescer, Database } from '@countersign/database';
import type { JsonWebKeySet } from './jwks.js';

/** An OpenID issuer whose JWTs are trusted for a tenant. */
export interface Issuer {
  id: string;
  tenantId: string;
  algorithms: string[];
  jwks: JsonWebKeySet;
  platform: boolean;
}

interface Claimed {
  issuer: string;
  audiences: string[];
}

/** The look-up of a token's issuer. Nothing is cached: an issuer that is gone or changed is so from the next request on. */
@Injectable()
export class Issuers {
  readonly #lookUps: Coalescer<Claimed, Issuer[]>;

  constructor(database: Database) {
    this.#lookUps = new Coalescer(async (requests) => {
      const rows = await database.call<{ n: number; issuer: Issuer }>(
        'find_issuers',
        requests.map((request, n) => ({ n, ...request })),
      );
      return requests.map((_, n) => rows.filter((row) => row.n === n).map((row) => row.issuer));
    }, 2);
  }

  /** The issuer that these claims name, or null. Claims that name two are believed for neither: which tenant would it be? */
  async find(claimed: Claimed): Promise<Issuer | null> {
    const [issuer, another] = await this.#lookUps.request(claimed);
    return another ? null : (issuer ?? null);
  }
}
