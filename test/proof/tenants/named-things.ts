import { randomUUID } from 'node:crypto';
import type { Installation } from '../../support/installation.js';
import type { Operation } from '../document.js';
import type { Whose } from './expectations.js';
import { Holdings } from './holdings.js';
import type { Place } from './places.js';

/** What can stand in a place, by whose it is; made anew at each call. */
type Things = Partial<Record<Whose, () => string | Promise<string>>>;

export interface Tenants {
  installation: Installation;
  own: Holdings;
  /** Of the same tenant, by another of its users. */
  anotherUsers: Holdings;
  anotherTenants: Holdings;
}

/** The things of every kind that a place can name. @throws where a kind is new, until somebody says how to make one. */
export class NamedThings {
  constructor(private readonly tenants: Tenants) {}

  of({ in: where, parameter, operation }: Place): Things {
    const folder = operation.path.replace('/compat/uppy/s3/multipart', '/uploads').split('/')[1] ?? '';
    const kind = where === 'path' ? folder : parameter;
    switch (kind) {
      case '':
        return { own: () => '' };
      case 'key':
        return this.#keys;
      case 'cursor':
        return this.#cursors(operation);
      case 'bucket':
        return operation.scope?.endsWith(':objects') ? this.#grantedBuckets : this.#buckets;
      case 'buckets':
        return this.#buckets;
      case 'grants':
        return this.#administered('/grants', (holdings) => holdings.grant(), randomUUID);
      case 'useCase':
      case 'use-cases':
        return this.#administered(
          '/use-cases',
          (holdings) => holdings.useCase(),
          () => `no-${randomUUID()}`,
        );
      case 'signing-keys':
        return this.#inBuckets((holdings, bucket) => holdings.signingKey(bucket));
      case 'rotations':
        return this.#inBuckets((holdings, bucket) => holdings.rotation(stateFor(operation, bucket), bucket));
      case 'uploads':
        return this.#uploads(operation);
      case 'tenant':
      case 'tenants':
        return this.#slugs;
      case 'issuers':
        return this.#administered('/issuers', (holdings) => holdings.issuer(), randomUUID);
      default:
        throw new Error(`Nobody has said yet how to make what "${parameter}" of ${operation.id} names.`);
    }
  }

  get #keys(): Things {
    const { own } = this.tenants;
    return {
      own: () => 'users/alice/photo.png',
      anotherUsers: () => 'users/bob/photo.png',
      deleted: async () => {
        const folder = randomUUID();
        const id = await own.grant('files', { type: 'user', id: 'alice' }, `${folder}/`);
        await own.deleted(`/grants/${id}`);
        return `${folder}/photo.png`;
      },
      madeUp: () => `${randomUUID()}/photo.png`,
    };
  }

  get #grantedBuckets(): Things {
    const { own, anotherTenants } = this.tenants;
    return {
      ...this.#buckets,
      own: () => own.grantedBucket('alice'),
      anotherUsers: () => own.grantedBucket('bob'),
      // The caller's namesake may use it there.
      anotherTenants: () => anotherTenants.grantedBucket('alice'),
    };
  }

  get #buckets(): Things {
    return this.#administered(
      '/buckets',
      (holdings) => holdings.bucket(),
      () => `no-${randomUUID()}`,
    );
  }

  /** In parts where there have to be any. What is not the caller's was begun by their namesake, or in a bucket that is gone. */
  #uploads({ id }: Operation): Things {
    const { own, anotherTenants } = this.tenants;
    const mode = id === 'getUpload' ? 'put' : 'multipart';
    return {
      own: () => own.upload('alice', mode),
      anotherUsers: () => own.upload('bob', mode),
      // Its store knows no such signing key, and begins nothing in parts.
      anotherTenants: () => anotherTenants.upload('alice', 'put'),
      deleted: async () => {
        const bucket = await own.bucket();
        const grant = await own.grant(bucket, { type: 'user', id: 'alice' });
        const upload = await own.upload('alice', 'put', bucket);
        await own.deleted(`/grants/${grant}`);
        await own.deleted(`/buckets/${bucket}`);
        return upload;
      },
      madeUp: randomUUID,
    };
  }

  get #slugs(): Things {
    const { installation, anotherTenants } = this.tenants;
    return {
      own: async () => (await installation.createTenant()).slug,
      anotherTenants: () => anotherTenants.tenant.slug,
      madeUp: () => `no-${randomUUID()}`,
    };
  }

  #cursors(operation: Operation): Things {
    const { own, anotherTenants } = this.tenants;
    return {
      own: () => own.cursor(operation),
      anotherTenants: () => anotherTenants.cursor(operation),
      madeUp: () => Buffer.from(JSON.stringify(['made', 'up', 'by', 'us'])).toString('base64url'),
    };
  }

  #administered(path: string, make: (holdings: Holdings) => Promise<string>, madeUp: () => string): Things {
    const { own, anotherUsers, anotherTenants } = this.tenants;
    return {
      own: () => make(own),
      anotherUsers: () => make(anotherUsers),
      anotherTenants: () => make(anotherTenants),
      deleted: async () => own.deleted(`${path}/${await make(own)}`),
      madeUp,
    };
  }

  /** Things that are gone once their bucket is. */
  #inBuckets(make: (holdings: Holdings, bucket?: string) => Promise<string>): Things {
    const { own } = this.tenants;
    return {
      ...this.#administered('', make, randomUUID),
      deleted: async () => {
        const bucket = await own.bucket();
        const id = await make(own, bucket);
        await own.deleted(`/buckets/${bucket}`);
        return id;
      },
    };
  }
}

/** The state in which the operation can be asked for; a bucket that is to be deleted has none under way. */
function stateFor({ id }: Operation, bucket: string | undefined): 'needs-operator' | 'waiting' | 'done' {
  if (bucket !== undefined) return 'done';
  return id === 'escalateRotation' ? 'waiting' : 'needs-operator';
}
