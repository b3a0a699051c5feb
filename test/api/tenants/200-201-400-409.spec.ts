import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install, type Installation } from '../../support/installation.js';
import { asOwner, type Calls, callsBy, pointersOf } from '../calls.js';

describe('/tenants', () => {
  let installation: Installation;
  let operator: Calls;

  beforeAll(async () => {
    installation = await install();
    operator = callsBy(installation.api, installation.operator);
  });
  afterAll(() => installation.close());

  it('POST answers 201 with a tenant that has the default use cases, on record in its own ledger', async () => {
    const slug = `t-${randomUUID()}`;
    const { body: tenant } = await operator.post('/tenants', { slug, name: 'Größe & Söhne 🙂' }).expect(201);
    expect(tenant).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      slug,
      name: 'Größe & Söhne 🙂',
      state: 'active',
      createdAt: expect.any(String),
    });
    const useCases = await asOwner<{ name: string }>('SELECT name FROM use_cases WHERE tenant_id = $1 ORDER BY name', [
      tenant.id,
    ]);
    expect(useCases.map(({ name }) => name)).toEqual(['batch', 'download', 'one-time', 'share', 'upload']);
    await expect(
      asOwner('SELECT subject, action, decision, details FROM ledger WHERE tenant_id = $1', [tenant.id]),
    ).resolves.toEqual([{ subject: 'operator', action: 'tenant.created', decision: 'granted', details: { tenant } }]);
  });

  it('GET answers 200 with all of them, by slug', async () => {
    const slugs = [`0-${randomUUID()}`, `0-${randomUUID()}`].sort();
    for (const slug of slugs) await operator.post('/tenants', { slug, name: slug }).expect(201);
    const after = Buffer.from(JSON.stringify([slugs[0]])).toString('base64url');
    const { body } = await operator.get('/tenants', { cursor: after, limit: '200' }).expect(200);
    const listed: string[] = body.items.map(({ slug }: { slug: string }) => slug);
    expect(listed).toContain(slugs[1]);
    expect(listed).not.toContain(slugs[0]);
    expect(listed).toEqual([...listed].sort());
  });

  it('POST answers 409 for a slug that is taken, however many ask at once, and leaves one', async () => {
    const slug = `t-${randomUUID()}`;
    const posts = await Promise.all(Array.from({ length: 6 }, () => operator.post('/tenants', { slug, name: 'x' })));
    expect(posts.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 409, 409, 409, 409, 409]);
    const refused = posts.find(({ status }) => status === 409);
    expect(refused?.body).toMatchObject({ code: 'already-exists', errors: [{ pointer: '/slug' }] });
    const rows = `SELECT t.id FROM tenants t JOIN ledger l ON l.tenant_id = t.id WHERE t.slug = $1`;
    await expect(asOwner(rows, [slug])).resolves.toHaveLength(1);
  });

  it.each<[object, string[]]>([
    [{ slug: undefined }, ['/slug']],
    [{ slug: 'Upper' }, ['/slug']],
    [{ slug: 'a_' }, ['/slug']],
    [{ slug: 'a'.repeat(64) }, ['/slug']],
    [{ slug: '' }, ['/slug']],
    [{ name: '' }, ['/name']],
    [{ name: null }, ['/name']],
    [{ name: 'a\0' }, ['/name']],
    [{ name: '\ud800' }, ['/name']],
    [{ name: 'a'.repeat(256) }, ['/name']],
    [{ id: randomUUID() }, ['/id']],
  ])('POST answers 400 for %j', async (body, pointers) => {
    const slug = `t-${randomUUID()}`;
    const response = await operator.post('/tenants', { slug, name: 'x', ...body });
    expect([response.status, pointersOf(response)]).toEqual([400, pointers]);
    await expect(asOwner('SELECT id FROM tenants WHERE slug = $1', [slug])).resolves.toEqual([]);
  });
});
