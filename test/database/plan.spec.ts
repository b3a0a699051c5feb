import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { lookupPaths } from '@countersign/permissions';
import pg from 'pg';

const GRANTS = 1_000_000;

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Index Cond'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}

/** A node and all below it. */
const flatten = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flatten)];

describe('with 1,000,000 grants in one tenant', () => {
  let client: pg.Client;
  const tenantId = randomUUID();
  const bucketId = randomUUID();
  const other = randomUUID();

  beforeAll(async () => {
    client = new pg.Client({ connectionString: process.env['TEST_OWNER_URL'] });
    await client.connect();
    await client.query(`INSERT INTO tenants (id, slug, name) VALUES ($1, $2, 'Many'), ($3, $4, 'Few')`, [
      tenantId,
      tenantId,
      other,
      other,
    ]);
    await client.query(
      `INSERT INTO buckets (id, tenant_id, name, provider, region, bucket, acl) VALUES ($1, $2, 'files', 's3', 'us-east-1', 'many', 'none')`,
      [bucketId, tenantId],
    );
    // The planner knows the table as it was when it was small: what it then chooses must hold all the same.
    await client.query('ANALYZE grants');
    // A million users with a folder each, whole buckets and single keys among them, and everyone's own folder.
    await client.query(
      `INSERT INTO grants (id, tenant_id, bucket_id, subject_type, subject_id, path, is_prefix, lookup_path, actions)
       SELECT gen_random_uuid(), $1, $2, 'user', 'user-' || n, p.path, p.is_prefix, p.path, '{read}'
         FROM generate_series(1, $3::int) AS n,
              LATERAL (SELECT CASE n % 3 WHEN 0 THEN '' WHEN 1 THEN 'users/' || n || '/' ELSE 'shared/' || n || '.png' END AS path, n % 3 <> 2 AS is_prefix) AS p`,
      [tenantId, bucketId, GRANTS],
    );
    await client.query(
      `INSERT INTO grants (id, tenant_id, bucket_id, subject_type, subject_id, path, is_prefix, lookup_path, actions)
       VALUES (gen_random_uuid(), $1, $2, 'everyone', '', 'users/{sub}/', true, 'users/', '{read}')`,
      [tenantId, bucketId],
    );
    await client.query(
      `INSERT INTO grants (id, tenant_id, bucket_id, subject_type, subject_id, path, is_prefix, lookup_path, actions, effect)
       SELECT gen_random_uuid(), $1, $2, 'user', 'denied', path, true, path, '{read}', 'deny' FROM unnest('{a/,a/b/,a/b/c/}'::text[]) AS path`,
      [tenantId, bucketId],
    );
  }, 120_000);
  afterAll(() => client.end());

  /** What PostgreSQL does inside `find_holdings`, as its own settings have it planned: read off its source, not off a copy of it. */
  async function explain(request: object): Promise<PlanNode[]> {
    const { rows } = await client.query<{ prosrc: string; proconfig: string[] }>(
      `SELECT prosrc, proconfig FROM pg_proc WHERE proname = 'find_holdings'`,
    );
    const [, query = ''] = /RETURN QUERY\s+([\s\S]+);\s*END/.exec(rows[0]?.prosrc ?? '') ?? [];
    await client.query('BEGIN');
    for (const setting of rows[0]?.proconfig ?? []) {
      const [name = '', value = ''] = setting.split('=');
      if (name !== 'search_path') await client.query(`SET LOCAL ${name} = ${value}`);
    }
    await client.query(
      `PREPARE held(jsonb) AS ${query.replace('jsonb_to_recordset(places)', 'jsonb_to_recordset($1)')}`,
    );
    const literal = client.escapeLiteral(JSON.stringify([request]));
    const explained = await client.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(
      `EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE held(${literal})`,
    );
    await client.query('DEALLOCATE held');
    await client.query('ROLLBACK');
    const plan = explained.rows[0]?.['QUERY PLAN'][0]?.Plan;
    return plan ? flatten(plan) : [];
  }

  const asked = (subject: string, key: string, reads = true) => ({
    n: 0,
    tenantId,
    bucket: 'files',
    useCase: 'download',
    reads,
    asked: [{ n: 0, subject, groups: ['staff'], paths: lookupPaths(key), hasSegment: true }],
  });

  it.each([
    ['who has a grant on the key', 'user-1', 'users/1/a/b/c.png'],
    ['who has the whole bucket', 'user-3', 'users/7/a/b/c.png'],
    ['who has nothing but the folder of everyone', 'stranger', 'users/1/a/b/c.png'],
  ])('the look-up goes by the index and reads a handful of grants, for a user %s', async (_, subject, key) => {
    const plan = await explain(asked(subject, key));
    expect(plan.filter((node) => /Seq Scan|Bitmap|Hash|Merge|Materialize/.test(node['Node Type']))).toEqual([]);
    const onGrants = plan.filter((node) => node['Relation Name'] === 'grants');
    expect(onGrants.length).toBeGreaterThan(0);
    for (const node of onGrants) {
      expect(node['Node Type']).toMatch(/^Index (Only )?Scan$/);
      const read = (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
      expect(read).toBeLessThanOrEqual(lookupPaths(key).length * 3);
    }
    const lookUp = onGrants.find((node) => node['Index Cond']?.includes('lookup_path'));
    expect(lookUp?.['Index Cond']).toMatch(/tenant_id.*bucket_id.*subject_type.*subject_id.*lookup_path/s);
  });

  it('whether somebody who is only denied holds anything else is looked up once, however many denials there are', async () => {
    const plan = await explain(asked('denied', 'a/b/c/d.png'));
    const [found, ...lookedUp] = plan
      .filter((node) => node['Relation Name'] === 'grants')
      .sort((one, other) => (other['Index Cond']?.length ?? 0) - (one['Index Cond']?.length ?? 0));
    expect(found?.['Actual Rows']).toBeGreaterThan(0);
    expect(lookedUp).toHaveLength(1);
    // Everyone's, theirs, and their group's: three at the most.
    expect(lookedUp[0]?.['Actual Loops']).toBeLessThanOrEqual(3);
  });

  it('what is withheld is found by one look-up of its own index, and not looked for before an upload', async () => {
    const key = 'users/1/a/b/c.png';
    const onUploads = async (reads: boolean) =>
      (await explain(asked('user-1', key, reads))).filter((node) => node['Relation Name'] === 'uploads');
    const lookUps = await onUploads(true);
    // For the whole bucket; where that finds something, for all paths; and then for each.
    expect(lookUps.map((node) => node['Actual Loops']).sort((a, b) => a - b)).toEqual([0, 0, 1]);
    for (const lookUp of lookUps) {
      expect(lookUp['Index Name']).toBe('uploads_withheld');
      expect(lookUp['Index Cond']).toMatch(
        lookUp['Actual Loops'] === 1 ? /tenant_id.*bucket_id/s : /tenant_id.*bucket_id.*key/s,
      );
      expect(lookUp['Rows Removed by Filter'] ?? 0).toBe(0);
    }
    expect((await onUploads(false)).map((node) => node['Actual Loops'])).toEqual([0, 0, 0]);
  });
});
