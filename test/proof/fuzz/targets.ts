import { createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { callsBy } from '../../api/calls.js';
import { type Installation, storeBucket, type Tenant } from '../../support/installation.js';
import { exampleOf, type Operation } from '../document.js';
import { Holdings } from '../tenants/holdings.js';
import type { Shot } from './requests.js';
import type { Known } from './values.js';

/** What there is to be shot at: enough of everything that can be taken away, and apart from what everything else depends on. */
export class Targets {
  private constructor(
    readonly tenant: Tenant,
    readonly neighbour: Tenant,
    private readonly paths: Readonly<Record<string, readonly string[]>>,
    private readonly victim: string,
  ) {}

  static async make(installation: Installation): Promise<Targets> {
    const [tenant, neighbour, victim] = [
      await installation.createTenant(),
      await installation.createTenant(),
      await installation.createTenant(),
    ];
    const admin = callsBy(installation.api, tenant.admin);
    const holdings = new Holdings(installation, tenant, 'fuzz', 'admin');
    await tenant.grant({ subject: { type: 'everyone' }, prefix: 'users/{sub}/' });
    for (const name of ['changeable', 'rotated']) await admin.post('/buckets', { ...storeBucket(), name }).expect(201);
    const many = (make: () => Promise<string>) => Promise.all(Array.from({ length: 8 }, make));
    const deletable = await many(() => holdings.bucket());
    const issuers = await many(() => holdings.issuer());
    const rotations = [
      await holdings.rotation('needs-operator'),
      await holdings.rotation('needs-operator'),
      await holdings.rotation('waiting'),
      await holdings.rotation('done'),
    ];
    const inParts = await many(() => holdings.upload('alice', 'multipart'));
    const uploaded = await uploadSmall(installation, tenant);
    const none = randomUUID();
    const paths = {
      getUpload: [uploaded, ...inParts, none],
      abortUpload: [...inParts.slice(4), none],
      createPartUrls: [...inParts.slice(0, 4), uploaded, none],
      listUploadParts: [...inParts.slice(0, 4), uploaded, none],
      createUploadCompletion: [uploaded, ...inParts.slice(0, 4), none],
      listUppyParts: [...inParts.slice(0, 4), uploaded, none],
      listUppyPartUrls: [...inParts.slice(0, 4), uploaded, none],
      getUppyPartUrl: [...inParts.slice(0, 4), uploaded, none],
      completeUppyUpload: [uploaded, ...inParts.slice(0, 4), none],
      abortUppyUpload: [...inParts.slice(4), none],
      getBucket: ['files', 'changeable', 'no-such'],
      changeBucket: ['changeable', 'changeable', 'no-such'],
      deleteBucket: [...deletable, 'files', 'no-such'],
      getStoragePolicy: ['files', 'changeable', 'no-such'],
      checkBucket: ['files', 'rotated', 'no-such'],
      getUseCase: ['upload', 'download', 'no-such'],
      replaceUseCase: ['thumbnails', 'previews'],
      deleteUseCase: ['thumbnails', 'previews', 'no-such'],
      deleteGrant: [...(await many(() => holdings.grant())), none],
      revokeSigningKey: [await holdings.signingKey(), none],
      getRotation: [...rotations, none],
      retryRotation: [...rotations.slice(0, 2), none],
      escalateRotation: [...rotations.slice(2), none],
      getTenant: [victim.slug, 'no-such'],
      changeTenant: [victim.slug, 'no-such'],
      getIssuer: [...issuers, none],
      changeIssuer: [...issuers.slice(4), none],
      deleteIssuer: [...issuers.slice(0, 4), none],
    };
    return new Targets(tenant, neighbour, paths, victim.slug);
  }

  /** The document's own example of a request, as one that is granted here. */
  exampleFor(operation: Operation): Shot {
    const { id } = operation;
    const body = { ...exampleOf(operation), ...this.#own(id) };
    return {
      parameter: this.paths[id]?.[0] ?? '',
      query: QUERIES[id] ?? [],
      // As Uppy 5 does it, which takes a PUT: the embedded store takes no forms.
      headers: id === 'getUppyParameters' ? [['Accept', 'application/json']] : [],
      contentType: operation.body ? 'application/json' : null,
      body: operation.body ? JSON.stringify(body) : null,
    };
  }

  #own(id: string): object {
    const name = `example-${randomUUID()}`;
    const own: Record<string, object> = {
      createTenant: { slug: name },
      changeTenant: { name, state: undefined },
      createBucket: { name },
      createUploadCompletion: { parts: undefined },
      createPartUrls: { partNumbers: [1], checksums: undefined },
      completeUppyUpload: { parts: undefined },
      startRotation: { bucket: 'rotated' },
      createIssuer: { tenant: this.victim, issuer: `https://${name}.test` },
    };
    return own[id] ?? {};
  }

  knownFor({ id }: Operation): Known {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = { ...createPublicKey(privateKey).export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' };
    const path = this.paths[id];
    return {
      ...(path ? { '@path': path } : {}),
      bucket: id === 'startRotation' ? ['rotated', 'no-such'] : ['files', 'changeable', 'no-such'],
      key: ['users/alice/photo.png', 'users/bob/photo.png', 'reports/2027.pdf'],
      prefix: ['', 'users/alice/', 'users/{sub}/'],
      filename: ['photo.png', 'naïve file.txt', '100%.csv'],
      contentType: ['image/png', 'text/html; charset=utf-8'],
      contentTypes: [[], ['image/*'], ['text/plain', 'image/png']],
      useCase: ['download', 'upload', 'share', 'batch', 'no-such'],
      checksumSha256: ['47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='],
      ...(id === 'listUppyPartUrls' ? { partNumbers: ['1', '1,2', '2,1,99'] } : {}),
      expiresInSeconds: [60, 900, 3_600, 604_800],
      keyPrefix: ['', 'fuzz/'],
      endpoint: ['https://s3.example.com', process.env['STORAGE_ENDPOINT']],
      publicEndpoint: ['https://files.example.com', process.env['STORAGE_ENDPOINT']],
      cursor: [Buffer.from(JSON.stringify([randomUUID()])).toString('base64url'), 'no-cursor'],
      jwks: [{ keys: [jwk] }, { keys: [] }],
      jwksUri: ['https://login.example.com/jwks.json'],
      tenant: [this.victim, 'no-such'],
      tenants: [[this.victim], ['no-such']],
      tenantClaim: ['org', '/nested/claim'],
      state: ['active', 'suspended'],
    };
  }
}

/** Of operations that take no request without one. */
const QUERIES: Readonly<Record<string, Shot['query']>> = {
  getUppyParameters: [
    ['filename', 'photo.png'],
    ['metadata[bucket]', 'files'],
    ['metadata[size]', '5'],
  ],
  listUppyPartUrls: [['partNumbers', '1']],
};

/** An upload of alice's whose object is there. */
async function uploadSmall(installation: Installation, tenant: Tenant): Promise<string> {
  const wish = { bucket: 'files', key: `users/alice/${randomUUID()}`, contentType: 'text/plain', contentLength: 2 };
  const alice = callsBy(installation.api, tenant.token('alice', 'write:objects'));
  const { body } = await alice.post('/upload-url', wish).expect(201);
  const { url, headers, uploadId } = body as { url: string; headers: Record<string, string>; uploadId: string };
  const { status } = await fetch(url, { method: 'PUT', headers, body: 'hi' });
  if (status !== 200) throw new Error(`The store answered ${status}.`);
  return uploadId;
}
