import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problems } from '@countersign/errors';
import { callsBy } from '../api/calls.js';
import { install, type Installation } from '../support/installation.js';
import { operations } from './document.js';
import { platformToken } from './platform-token.js';
import { proof } from './record.js';
import { scale } from './scale.js';
import { EXPECTATIONS, WHOSE, type Whose } from './tenants/expectations.js';
import { Holdings } from './tenants/holdings.js';
import { NamedThings } from './tenants/named-things.js';
import { ask, type Asked, type Filled, type Place, places } from './tenants/places.js';
import { StoredRows } from './tenants/stored-rows.js';

const SCOPES = [...new Set(operations.flatMap(({ scope }) => scope ?? []))];

/** None, each alone, and all of them; in short all but the one that is needed at once. Those that open are last: what was named may then be gone. */
function scopeSets(needed: string | null): string[][] {
  const others = SCOPES.filter((scope) => scope !== needed);
  const alone = needed === null ? [] : [[needed]];
  return scale({
    short: [[], others, ...alone],
    full: [[], ...others.map((scope) => [scope]), others, ...alone, SCOPES],
  });
}

const apart = proof(
  'Tenants are kept apart: nobody reads, changes or learns of what is not theirs',
  'every operation × every place that names something × own, another user’s, another tenant’s, deleted, made up × every scope',
  'the tenant taken out of the query and out of row-level security; out of the query alone nothing leaks, and that is the point',
);

describe('Tenants are kept apart', () => {
  let installation: Installation;
  let things: NamedThings;
  let own: Holdings;
  let theirs: Holdings;
  let stored: StoredRows;
  let cases = 0;
  const mark = `marked-${randomUUID().slice(0, 13)}`;

  beforeAll(async () => {
    installation = await install();
    stored = await StoredRows.open();
    const [tenant, anotherTenant] = [await installation.createTenant(), await installation.createTenant()];
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    const unread = { credentials: { accessKeyId: mark, secretAccessKey: `${mark}-secret` } };
    own = new Holdings(installation, tenant, 'ours', 'alice');
    const anotherUsers = new Holdings(installation, tenant, 'ours', 'carol');
    theirs = new Holdings(installation, anotherTenant, mark, 'alice', unread);
    for (const holdings of [own, theirs]) {
      for (const state of ['done', 'needs-operator'] as const) await holdings.rotation(state);
      for (const subject of ['dave', 'erin']) await holdings.grant('files', { type: 'user', id: subject });
      await holdings.grant();
      await holdings.useCase();
    }
    things = new NamedThings({ installation, own, anotherUsers, anotherTenants: theirs });
  }, 120_000);
  afterAll(() => Promise.all([installation.close(), stored.close()]));

  it('and for every place of the document that names something it is said what is expected', () => {
    expect(places.map(({ name }) => name).toSorted()).toEqual([...EXPECTATIONS.keys()].toSorted());
    expect(SCOPES).toHaveLength(5);
  });

  const readable = places.filter(
    ({ operation, in: where, parameter }) =>
      operation.method === 'get' &&
      operation.scope !== 'admin:platform' &&
      // Numbers and ETags, which are nobody's words; and of parts there are none where the store begins nothing.
      !['listUploadParts', 'listUppyParts', 'listUppyPartUrls', 'getUppyPartUrl'].includes(operation.id) &&
      (where === 'path' || parameter === 'cursor'),
  );
  it.each(readable)('and what is marked is seen by those whose it is: $name', async (place) => {
    // Without this, a mark that is never answered to anybody would prove nothing.
    const value = (await things.of(place).anotherTenants?.()) ?? '';
    const { path } = ask(place, value, {});
    const admin = callsBy(installation.api, theirs.tenant.token('alice', SCOPES.join(' ')));
    expect((await admin.get(path).expect(200)).text).toContain(mark);
  });

  interface Seen {
    case: string;
    status: number;
  }

  it.each(places)(
    'by $name, for a tenant’s callers',
    async (place) => {
      // Attack: a name or an id of somebody else's, in every place that takes one, with every token that a tenant's issuer can make.
      const tokens = (scopes: string[]) => own.tenant.token('alice', scopes.join(' '));
      await expectApart(place, tokens, WHOSE, (scopes) => scopes.filter((scope) => scope !== 'admin:platform'));
    },
    120_000,
  );

  it.each(places.filter(({ parameter }) => parameter !== 'key' && parameter !== 'useCase'))(
    'by $name, for the platform’s operator',
    async (place) => {
      // Attack: an operator's token makes tenants, and so it is tried on what is theirs.
      const isPlatforms = place.operation.scope === 'admin:platform' || place.in === 'nowhere';
      const whose = isPlatforms ? WHOSE : (['anotherTenants', 'madeUp'] as const);
      const tokens = (scopes: string[]) => platformToken('alice', scopes.join(' '));
      await expectApart(place, tokens, whose, (scopes) => scopes);
    },
    120_000,
  );

  async function expectApart(
    place: Place,
    tokenWith: (scopes: string[]) => string,
    whoseever: readonly Whose[],
    believed: (scopes: string[]) => string[],
  ): Promise<void> {
    const { operation } = place;
    const expected: Seen[] = [];
    const seen: Seen[] = [];
    const bytes = new Map<string, string>();
    const known = new Map<Whose, string>();
    const makers = things.of(place);
    for (const scopes of scopeSets(operation.scope)) {
      const isAllowed = operation.scope === null || believed(scopes).includes(operation.scope);
      for (const whose of whoseever) {
        const status = EXPECTATIONS.get(place.name)?.status[whose] ?? null;
        const make = makers[whose];
        if (status === null) continue;
        if (!make) throw new Error(`Nobody has said how to make what is ${whose} in ${place.name}.`);
        const value = known.get(whose) ?? (await make());
        // What somebody was let in to may be gone, or another thing than before.
        if (isAllowed) known.delete(whose);
        else known.set(whose, value);
        const asked = ask(place, value, await filled(place));
        const isForeign = whose === 'anotherTenants' && operation.scope !== 'admin:platform';
        const before = isForeign && isAllowed ? await stored.of(theirs.tenant.slug) : null;
        const response = await send(operation.method, asked, tokenWith(scopes));
        cases++;

        const name = `${whose} with [${scopes.join(' ')}]`;
        expected.push({ case: name, status: isAllowed ? status : 403 });
        seen.push({ case: name, status: statusOf(response) });
        if (operation.scope !== 'admin:platform') {
          expect([name, JSON.stringify([response.headers, response.text])]).not.toEqual([
            name,
            expect.stringContaining(mark),
          ]);
        }
        if (before) expect([name, await stored.of(theirs.tenant.slug)]).toEqual([name, before]);
        bytes.set(`${whose} ${isAllowed}`, answerOf(response, value));
      }
    }
    expect(seen).toEqual(expected);
    // Attack: what is not told outright is told by a difference between answers.
    const told = (whose: Whose, isAllowed: boolean) => bytes.get(`${whose} ${isAllowed}`);
    const refused = WHOSE.flatMap((whose) => told(whose, false) ?? []);
    expect(new Set(refused).size).toBeLessThanOrEqual(1);
    if (whoseever.includes('madeUp') && place.parameter !== 'cursor' && operation.method !== 'put') {
      const isHidden = operation.scope !== 'admin:platform' && told('anotherTenants', true) !== undefined;
      if (isHidden) expect(told('anotherTenants', true)).toBe(told('madeUp', true));
    }
  }

  it('in all of them, and the record says how many', () => {
    expect(cases).toBeGreaterThan(scale({ short: 800, full: 2_200 }));
    apart.record({ cases, figure: '0 answers with anything of another tenant’s, 0 rows of another tenant’s changed' });
  });

  function send(method: Place['operation']['method'], { path, query, body }: Asked, token: string) {
    const call = installation.api[method](path).query(query).accept('json').auth(token, { type: 'bearer' });
    return body === undefined ? call : call.send(body);
  }

  /** What the document's example lacks to be a good request here, again and again. */
  async function filled({ operation, parameter }: Place): Promise<Filled> {
    switch (operation.id) {
      case 'createTenant':
        return { body: { slug: `t-${randomUUID()}` } };
      case 'changeTenant':
        return { body: { name: 'Renamed', state: undefined } };
      case 'createBucket':
        return { body: { name: `bucket-${randomUUID()}` } };
      case 'createIssuer': {
        const claim = parameter === 'tenants' ? { tenant: undefined, tenantClaim: 'org' } : {};
        return { body: { issuer: `https://${randomUUID()}.test`, ...claim } };
      }
      case 'createUppyUpload':
        return { body: { type: 'image/png' } };
      case 'getUppyParameters':
        return {
          query: { filename: 'photo.png', type: 'image/png', 'metadata[bucket]': 'files', 'metadata[size]': '5' },
        };
      case 'listUppyPartUrls':
        return { query: { partNumbers: '1' } };
      case 'changeIssuer':
        return parameter === 'tenants' ? { path: await own.issuer() } : {};
      default:
        return {};
    }
  }
});

interface Answered {
  status: number;
  text: string;
  body: unknown;
  headers: Record<string, string>;
}

/** The status, or that of a batch's one item. */
function statusOf({ status, body }: Answered): number {
  const [item] = (body as { items?: { status?: unknown; reason?: unknown; allowed?: unknown }[] } | null)?.items ?? [];
  if (status !== 200 || !item) return status;
  if (item.allowed === false) return problems[item.reason as keyof typeof problems].status;
  return typeof item.status === 'number' ? item.status : status;
}

/** All that an answer tells, but for what must differ: the request's id, the time, and what was asked for itself. */
function answerOf({ status, text, headers }: Answered, value: string): string {
  const { date: _date, 'x-request-id': _id, 'content-length': _length, ...others } = headers;
  const told = JSON.stringify([status, others, text]).replaceAll(/requestId\\":\\"[0-9a-f-]{36}/g, 'requestId');
  return value === '' ? told : told.replaceAll(value, '…');
}
