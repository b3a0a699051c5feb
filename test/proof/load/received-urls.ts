import type { FreshDatabase } from '../../support/fresh-database.js';

const SIGNED_URL = /"(https?:\/\/[^"?]+)\?[^"]*X-Amz-Signature=[0-9a-f]{64}/g;
const SIGNED_FORM = /"x-amz-signature":"[0-9a-f]{64}/gi;
const ISSUANCE = /"issuanceId":"([0-9a-f-]{36})"/g;

/** Every URL and form that any client received, be it in an answer of which the rest never came. */
export class ReceivedUrls {
  readonly #addresses = new Set<string>();
  readonly #issuances = new Set<string>();
  #forms = 0;

  add(text: string): void {
    for (const [, address = ''] of text.matchAll(SIGNED_URL)) this.#addresses.add(address);
    for (const [, id = ''] of text.matchAll(ISSUANCE)) this.#issuances.add(id);
    this.#forms += text.match(SIGNED_FORM)?.length ?? 0;
  }

  /** Of URLs and forms. */
  get count(): number {
    return this.#addresses.size + this.#forms;
  }

  /**
   * Those without a row of the ledger that grants them: the addresses, each of an object that was asked for once, and the ids by which
   * answers named their issuances, which is all that tells forms apart.
   */
  async missing(database: FreshDatabase): Promise<string[]> {
    const rows = await database.query<{ id: string; url: string }>(
      `SELECT issuance_id AS id, url FROM ledger WHERE decision = 'granted' AND issuance_id IS NOT NULL`,
    );
    const ids = new Set(rows.map(({ id }) => id));
    const urls = new Set(rows.map(({ url }) => url));
    return [
      ...[...this.#addresses].filter((address) => !urls.has(address)),
      ...[...this.#issuances].filter((id) => !ids.has(id)),
    ];
  }
}
