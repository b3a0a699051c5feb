import { randomUUID } from 'node:crypto';
import { asOwner, callsBy, type Calls } from '../../api/calls.js';
import { type Installation, storeBucket, type Tenant } from '../../support/installation.js';
import type { Operation } from '../document.js';

/** Makes, by the API itself, the things of one tenant that requests can name. */
export class Holdings {
  readonly #admin: Calls;

  /**
   * @param mark stands in all that it makes, but in no name or id: who reads it has read what it is, and not only what it is called
   * @param bucketFields of its buckets, in place of those of the run's store
   */
  constructor(
    private readonly installation: Installation,
    readonly tenant: Tenant,
    private readonly mark: string,
    administrator: string,
    private readonly bucketFields: object = {},
  ) {
    this.#admin = callsBy(installation.api, tenant.token(administrator, 'admin:tenant read:audit'));
  }

  async bucket(): Promise<string> {
    const name = `bucket-${randomUUID()}`;
    const keyPrefix = `${this.mark}/${name}/`;
    await this.#admin.post('/buckets', { ...storeBucket(), ...this.bucketFields, name, keyPrefix }).expect(201);
    return name;
  }

  /** A bucket in which this user has a grant, and nobody else. */
  async grantedBucket(subject: string): Promise<string> {
    const bucket = await this.bucket();
    await this.grant(bucket, { type: 'user', id: subject });
    return bucket;
  }

  async grant(bucket = 'files', subject: object = { type: 'user', id: this.mark }, prefix = ''): Promise<string> {
    const body = { bucket, subject, prefix, actions: ['read', 'write'] };
    return idOf(await this.#admin.post('/grants', body).expect(201));
  }

  /** One that this user has begun, under a marked key. */
  async upload(subject: string, mode: 'put' | 'multipart', bucket?: string): Promise<string> {
    const wish = { bucket: bucket ?? (await this.grantedBucket(subject)), key: `${this.mark}/photo.png`, mode };
    const content = { contentType: 'image/png', contentLength: 9 * 1024 ** 2 };
    const user = callsBy(this.installation.api, this.tenant.token(subject, 'write:objects'));
    const { body } = await user.post('/upload-url', { ...wish, ...content }).expect(201);
    return (body as { uploadId: string }).uploadId;
  }

  async useCase(): Promise<string> {
    const name = `use-case-${randomUUID()}`;
    const expiry = { minExpirySeconds: 60, defaultExpirySeconds: 900, maxExpirySeconds: 900 };
    const body = { action: 'any', ...expiry, contentTypes: [`image/${this.mark}`, 'image/png'] };
    await this.#admin.put(`/use-cases/${name}`, body).expect(201);
    return name;
  }

  async signingKey(bucket?: string): Promise<string> {
    const keys = await this.#admin.get('/signing-keys', { bucket: bucket ?? (await this.bucket()) }).expect(200);
    return idOf({ body: (keys.body as { items: object[] }).items[0] });
  }

  /** One that stands still: it needs its operator, or waits for its last URL to expire, or is done. */
  async rotation(state: 'needs-operator' | 'waiting' | 'done', bucket?: string): Promise<string> {
    const name = bucket ?? (await this.bucket());
    const old = await this.signingKey(name);
    const step = state === 'waiting' ? 'wait-for-urls' : 'probe-key';
    const [row] = await asOwner<{ id: string }>(
      `INSERT INTO rotations (id, tenant_id, bucket_id, mode, state, reason, requested_by, step, steps, exposure_before, due_at, old_signing_key_id)
       SELECT $1, b.tenant_id, b.id, 'graceful', $2, $3, 'admin', $4, '[]', '{"liveUrls":0,"subjects":0,"latestExpiresAt":null}', now() + '1 day', $7
         FROM buckets b JOIN tenants t ON t.id = b.tenant_id WHERE t.slug = $5 AND b.name = $6 RETURNING id`,
      [randomUUID(), state, this.mark, step, this.tenant.slug, name, old],
    );
    return row?.id ?? '';
  }

  /** An issuer whose tokens name this tenant in a claim. */
  async issuer(): Promise<string> {
    const body = { issuer: `https://${randomUUID()}.test`, audience: 'countersign', tenantClaim: 'org' };
    const more = { tenants: [this.tenant.slug], jwksUri: 'https://login.example.com/jwks.json' };
    return idOf(await this.#operator.post('/issuers', { ...body, ...more }).expect(201));
  }

  /** Where the second page of the list begins. */
  async cursor({ path, scope }: Operation): Promise<string> {
    const calls = scope === 'admin:platform' ? this.#operator : this.#admin;
    return ((await calls.get(path, { limit: '1' }).expect(200)).body as { nextCursor: string }).nextCursor;
  }

  /** Takes something away again, and gives back what it was called. */
  async deleted(path: string): Promise<string> {
    await (path.startsWith('/issuers') ? this.#operator : this.#admin).delete(path).expect(204);
    return path.split('/').at(-1) ?? '';
  }

  get #operator(): Calls {
    return callsBy(this.installation.api, this.installation.operator);
  }
}

const idOf = ({ body }: { body: unknown }): string => (body as { id: string }).id;
