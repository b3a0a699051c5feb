import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { IssueDownloadUrl } from '../../../apps/api/src/download-url/issue-download-url.js';
import type { Caller } from '../../../apps/api/src/http/caller.js';
import type { IssuedUrl } from '../../../apps/api/src/issuance/issued-url.dto.js';
import type { IssuedPutUpload } from '../../../apps/api/src/upload-url/upload-url.dto.js';
import { IssueUploadUrl } from '../../../apps/api/src/upload-url/issue-upload-url.js';
import { asOwner } from '../calls.js';
import { answerOf, type Followed, RotationTest, signerOf } from './rotation-fixture.js';

const AT_ONCE = 200;

describe('Issuing while a rotation starts', () => {
  // Attack on revocation: a URL that is signed by the old key after it was counted, and so is in nobody's exposure.
  let t: RotationTest;
  beforeEach(async () => {
    t = await RotationTest.start();
    await t.useKeyIssuer();
  });
  afterEach(() => t.stop());

  it('graceful: of 10,000 issuances none fails, and none under the old key is missing from the exposure', async () => {
    const race = await Race.of(t);
    // However fast they are issued, some are by the successor.
    let promoted: Promise<Followed> | undefined;
    let isPromoted = false;
    const rotate = async () => {
      const { id } = (await t.rotate('graceful')).body as Followed;
      return t.until(id, ({ waitingFor }) => waitingFor !== null).finally(() => (isPromoted = true));
    };
    await race.issue(
      () => race.issued.length >= 10_000 && isPromoted,
      (issued) => {
        if (issued === 2_000) promoted = rotate();
      },
    );
    const { id, exposure, signingKeyId } = (await promoted) as Followed;

    expect(race.failures).toEqual([]);
    const byOld = (await race.byKeyOfLedger()).get(signingKeyId ?? '') ?? [];
    expect(byOld.length).toBeGreaterThan(2_000);
    expect(byOld.length).toBeLessThan(race.issued.length);
    expect(exposure.before.liveUrls).toBe(byOld.length);
    expect(exposure.before.subjects).toBe(new Set(byOld.map(({ subject }) => subject)).size);
    expect(exposure.before.latestExpiresAt).toBe(latestOf(byOld));
    await t.admin.post(`/rotations/${id}/escalation`, { reason: 'the test is over' }).expect(202);
    await t.untilDone(id);
  }, 180_000);

  it('immediate, again and again: what was counted when a key was cut off is all there is, and all of it is dead', async () => {
    const race = await Race.of(t);
    const rotations: Followed[] = [];
    const rotating = (async () => {
      for (let round = 0; round < 4; round++) {
        const issued = race.issued.length;
        while (race.issued.length < issued + 200) await sleep(5);
        const { id } = (await t.rotate('immediate').expect(202)).body as Followed;
        rotations.push(await t.untilDone(id));
      }
    })();
    await race.issueUntil(rotating);

    expect(new Set(race.failures)).toEqual(new Set(['signing-key-unavailable']));
    const byKey = await race.byKeyOfLedger();
    for (const { signingKeyId, exposure, state } of rotations) {
      const issued = byKey.get(signingKeyId ?? '') ?? [];
      expect([state, exposure.before.liveUrls]).toEqual(['done', issued.length]);
      for (const { url, method } of issued.slice(-5))
        if (method === 'GET') expect(await answerOf(url)).toBe('403 InvalidAccessKeyId');
    }
  }, 180_000);
});

type Raced = (IssuedUrl | IssuedPutUpload) & { subject: string };

class Race {
  readonly issued: Raced[] = [];
  readonly failures: string[] = [];

  private constructor(
    private readonly tenantId: string,
    private readonly download: IssueDownloadUrl,
    private readonly upload: IssueUploadUrl,
  ) {}

  static async of(t: RotationTest): Promise<Race> {
    const [tenant] = await asOwner<{ id: string }>('SELECT id FROM tenants WHERE slug = $1', [t.tenant.slug]);
    const find = <T>(type: new (...parameters: never[]) => T) => t.installation.app.get<T>(type, { strict: false });
    return new Race(tenant?.id ?? '', find(IssueDownloadUrl), find(IssueUploadUrl));
  }

  issue(isEnough: () => boolean, onIssued: (issued: number) => void): Promise<void> {
    return this.#race(isEnough, onIssued);
  }

  async issueUntil(over: Promise<void>): Promise<void> {
    let isOver = false;
    const noted = over.finally(() => (isOver = true));
    await this.#race(() => isOver);
    await noted;
  }

  /** Uploads and downloads by turns, many at once. */
  async #race(isOver: () => boolean, onIssued: (issued: number) => void = () => undefined): Promise<void> {
    const lane = async () => {
      while (!isOver()) {
        const subject = `user-${this.issued.length % 50}`;
        try {
          const url = await this.#ask(subject);
          this.issued.push({ ...url, subject });
          onIssued(this.issued.length);
        } catch (error) {
          this.failures.push((error as { code?: string }).code ?? String(error));
          await sleep(20);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  }

  #ask(subject: string): Promise<IssuedUrl | IssuedPutUpload> {
    const caller: Caller = {
      tenantId: this.tenantId,
      isSuspended: false,
      subject,
      groups: [],
      scopes: new Set(),
      clientAddress: '127.0.0.1',
      userAgent: null,
      requestId: randomUUID(),
    };
    const wanted = { bucket: 'files', key: `users/${subject}/${randomUUID()}` };
    const useCase = { useCase: 'brief', expiresInSeconds: 300 + (this.issued.length % 300) };
    return this.issued.length % 2 === 0
      ? this.download.execute(caller, { ...wanted, ...useCase })
      : (this.upload.execute(caller, {
          ...wanted,
          ...useCase,
          contentType: 'text/plain',
          contentLength: 1,
        }) as Promise<IssuedPutUpload>);
  }

  /** Every URL is on record under the key that signed it. Gives those of each signing key, by its id. */
  async byKeyOfLedger(): Promise<Map<string, Raced[]>> {
    const rows = await asOwner<{ issuance: string; id: string; name: string }>(
      `SELECT l.issuance_id AS issuance, k.id, k.access_key_id AS name
         FROM ledger l JOIN signing_keys k ON k.id = l.signing_key_id
        WHERE l.tenant_id = $1 AND l.subject LIKE 'user-%'`,
      [this.tenantId],
    );
    expect(rows).toHaveLength(this.issued.length);
    const signers = new Map(rows.map((row) => [row.issuance, row]));
    expect(this.issued.filter(({ issuanceId, url }) => signers.get(issuanceId)?.name !== signerOf(url))).toEqual([]);
    const byKey = new Map<string, Raced[]>(rows.map(({ id }) => [id, []]));
    for (const url of this.issued) byKey.get(signers.get(url.issuanceId)?.id ?? '')?.push(url);
    return byKey;
  }
}

const latestOf = (urls: Raced[]): string =>
  new Date(Math.max(...urls.map(({ expiresAt }) => Date.parse(expiresAt)))).toISOString();
