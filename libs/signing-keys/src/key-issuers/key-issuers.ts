import { Injectable } from '@nestjs/common';
import { Config } from '@countersign/config';
import { Outgoing } from '@countersign/outgoing';
import { CredentialSeal } from '../credential-seal.js';
import { AwsIamKeyIssuer } from './aws-iam-key-issuer.js';
import { CephRgwKeyIssuer } from './ceph-rgw-key-issuer.js';
import { type KeyIssuer, KeyIssuerError } from './key-issuer.js';

export type KeyIssuerType = 'aws-iam' | 'ceph-rgw' | 'embedded';

/** A bucket's key issuer as it is stored. */
export interface KeyIssuerRow {
  tenantId: string;
  bucketId: string;
  type: KeyIssuerType;
  /** Whatever is no secret; checked when it was stored. Of `embedded`: nothing. */
  settings: unknown;
  sealedCredential: Uint8Array | null;
}

interface AwsIamRow {
  userName: string;
  accessKeyId: string;
  region?: string;
  endpoint?: string;
}

interface CephRgwRow {
  endpoint: string;
  uid: string;
  accessKeyId: string;
}

/** Of a bucket's row, the key issuer that it stands for. */
@Injectable()
export class KeyIssuers {
  constructor(
    private readonly config: Config,
    private readonly seal: CredentialSeal,
    private readonly outgoing: Outgoing,
  ) {}

  /** @throws KeyIssuerError `refused` for the embedded store where this installation has none. */
  of(row: KeyIssuerRow): KeyIssuer {
    switch (row.type) {
      case 'aws-iam':
        return new AwsIamKeyIssuer(this.outgoing, { ...(row.settings as AwsIamRow), ...this.#credentialOf(row) });
      case 'ceph-rgw':
        return new CephRgwKeyIssuer(this.outgoing, { ...(row.settings as CephRgwRow), ...this.#credentialOf(row) });
      case 'embedded':
        return this.#embedded();
      default:
        return row.type satisfies never;
    }
  }

  #credentialOf({ tenantId, bucketId, sealedCredential }: KeyIssuerRow) {
    if (!sealedCredential) throw new Error('a key issuer without a credential');
    return this.seal.open(Buffer.from(sealedCredential), { tenantId, keyIssuerOfBucketId: bucketId });
  }

  /** The embedded store speaks Ceph's Admin Ops API. */
  #embedded(): KeyIssuer {
    const store = this.config.embeddedStore;
    if (!store) throw new KeyIssuerError('refused', 'This installation has no embedded store to make keys at.');
    return new CephRgwKeyIssuer(this.outgoing, { ...store, uid: 'embedded' });
  }
}
