import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbeddedStore, startStore } from '@countersign/embedded';
import { CephRgwKeyIssuer } from '../../../libs/signing-keys/src/key-issuers/ceph-rgw-key-issuer.js';
import { install, type Installation, type Tenant } from '../../support/installation.js';
import { callsBy, type Calls } from '../calls.js';
import { OUTGOING } from '../../support/outgoing.js';

export interface AccessKey {
  accessKeyId: string;
  secretAccessKey: string;
}

/** A rotation as the API answers it, as far as tests look. */
export interface Followed {
  id: string;
  state: string;
  mode: string;
  signingKeyId: string | null;
  newSigningKeyId: string | null;
  steps: { name: string; startedAt: string; finishedAt: string | null; detail: string | null }[];
  exposure: Record<'before' | 'now', { liveUrls: number; subjects: number; latestExpiresAt: string | null }>;
  waitingFor: { what: string; until?: string; accessKeyId?: string } | null;
  control: { what: string; accessKeyId?: string } | null;
  problem: string | null;
  revokedAt: string | null;
  finishedAt: string | null;
}

/** A store of its own, whose access keys the test makes and takes away, and a tenant whose bucket is there. */
export class RotationTest {
  private constructor(
    readonly installation: Installation,
    readonly tenant: Tenant,
    readonly store: EmbeddedStore,
    readonly firstKey: AccessKey,
    private readonly dir: string,
    private readonly storeAdmin: AccessKey,
  ) {}

  static async start(): Promise<RotationTest> {
    const dir = await mkdtemp(path.join(os.tmpdir(), 'countersign-rotation-'));
    const firstKey = freshKey();
    const admin = freshKey();
    const options = { dir, buckets: [{ name: 'rotated', corsOrigins: [] }], accessKeys: [firstKey], admin };
    const [store, installation] = await Promise.all([startStore(options), install()]);
    const bucket = { endpoint: store.endpoint, region: 'us-east-1', bucket: 'rotated', credentials: firstKey };
    const tenant = await installation.createTenant(bucket);
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    const brief = { action: 'any', minExpirySeconds: 1, defaultExpirySeconds: 3, maxExpirySeconds: 600 };
    const test = new RotationTest(installation, tenant, store, firstKey, dir, admin);
    await test.admin.put('/use-cases/brief', brief).expect(201);
    return test;
  }

  async stop(): Promise<void> {
    await this.installation.close();
    await this.store.stop();
    await rm(this.dir, { recursive: true, force: true });
  }

  get admin(): Calls {
    return callsBy(this.installation.api, this.tenant.admin);
  }

  /** Makes a key at the store, as an operator does by hand. */
  async makeKey(): Promise<AccessKey> {
    const issuer = new CephRgwKeyIssuer(OUTGOING, this.#cephRgw);
    return issuer.create(await issuer.prepare());
  }

  removeKey(accessKeyId: string): Promise<void> {
    return new CephRgwKeyIssuer(OUTGOING, this.#cephRgw).remove(accessKeyId);
  }

  async isAtStore(accessKeyId: string): Promise<boolean> {
    const intent = { accessKeyId, knownAccessKeyIds: [], preparedAt: new Date().toISOString() };
    return (await new CephRgwKeyIssuer(OUTGOING, this.#cephRgw).afterUnknown(intent)).kind === 'unused';
  }

  /** From now on keys are made and taken away by the store's Admin Ops API. */
  async useKeyIssuer(more: object = {}, bucket = 'files'): Promise<void> {
    const { api } = this.installation;
    const keyIssuer = { type: 'ceph-rgw', ...this.#cephRgw, ...more };
    await api.patch(`/buckets/${bucket}`).auth(this.tenant.admin, { type: 'bearer' }).send({ keyIssuer }).expect(200);
  }

  get #cephRgw() {
    return { endpoint: this.store.endpoint, uid: 'embedded', ...this.storeAdmin };
  }

  rotate(mode: 'graceful' | 'immediate', more: object = {}) {
    return this.admin.post('/rotations', { bucket: 'files', mode, reason: 'a test', ...more });
  }

  async follow(id: string): Promise<Followed> {
    return (await this.admin.get(`/rotations/${id}`).expect(200)).body as Followed;
  }

  /** Asks until the rotation is so. */
  async until(id: string, isSo: (rotation: Followed) => boolean, withinMs = 30_000): Promise<Followed> {
    const deadline = Date.now() + withinMs;
    for (;;) {
      const rotation = await this.follow(id);
      if (isSo(rotation)) return rotation;
      if (Date.now() > deadline) throw new Error(`It never came so far: ${JSON.stringify(rotation)}`);
      await sleep(50);
    }
  }

  untilDone(id: string): Promise<Followed> {
    return this.until(id, ({ state }) => state === 'done' || state === 'needs-operator');
  }

  async keys(): Promise<Record<string, unknown>[]> {
    return ((await this.admin.get('/signing-keys').expect(200)).body as { items: Record<string, unknown>[] }).items;
  }

  /** A download URL of alice's. */
  async url(more: object = {}): Promise<string> {
    const { api } = this.installation;
    const request = { bucket: 'files', key: 'users/alice/file', useCase: 'brief', ...more };
    const response = await api
      .post('/download-url')
      .auth(this.tenant.token('alice'), { type: 'bearer' })
      .send(request)
      .expect(201);
    return (response.body as { url: string }).url;
  }
}

const freshKey = (): AccessKey => ({
  accessKeyId: `KEY${randomBytes(8).toString('hex').toUpperCase()}`,
  secretAccessKey: randomBytes(20).toString('hex'),
});

/** Status and code of the store's answer. */
export async function answerOf(url: string): Promise<string> {
  const response = await fetch(url);
  const text = await response.text();
  return `${response.status} ${/<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? ''}`.trim();
}

export const signerOf = (url: string): string => new URL(url).searchParams.get('X-Amz-Credential')?.split('/')[0] ?? '';
