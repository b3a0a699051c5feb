import { Injectable } from '@nestjs/common';
import { type IssuanceDecision, Ledger, newIssuanceId, type UrlTerms } from '@countersign/ledger';
import { Outgoing } from '@countersign/outgoing';
import { downloadTerms, objectAddress, uploadTerms, UrlSigner } from '@countersign/signing';
import {
  CredentialSeal,
  type Look,
  type Looks,
  type Prober,
  type RotatedKey,
  type Rotation,
} from '@countersign/signing-keys';
import { askStore } from './ask-store.js';
import { askerOfRotation } from './rotation-ledger.js';

const CANARY_KEY = '.countersign-check/canary';
const CANARY = 'Countersign asks for this object to see whether the store accepts a signing key.\n';

const EXPIRES_IN_SECONDS = 300;

/** Until when URLs that were asked are asked again, and no new ones put on record: well before they expire. */
const REUSED_FOR_MS = 240_000;

/** Two URLs of one moment. */
interface Pair {
  at: Date;
  canary: string;
  control: string | null;
}

/**
 * What a store thinks of a signing key: where signing, the ledger and the store come together for a rotation. Its URLs are on record
 * before they exist, as all are (invariant 1), under the subject `system:rotation`.
 */
@Injectable()
export class StoreProber implements Prober {
  /** By what is asked. URLs are never stored: another replica makes its own. */
  readonly #pairs = new Map<string, Pair>();

  constructor(
    private readonly ledger: Ledger,
    private readonly seal: CredentialSeal,
    private readonly signer: UrlSigner,
    private readonly outgoing: Outgoing,
  ) {}

  /** The control is asked last: had the canary been refused for its age, the control, which is as old, would be too. */
  async look(rotation: Rotation, looks: Looks): Promise<Look> {
    const pair = await this.#pairOf(rotation, looks);
    const canary = await askStore(this.outgoing, pair.canary);
    return { canary, control: pair.control === null ? null : await askStore(this.outgoing, pair.control) };
  }

  async placeCanary(rotation: Rotation, key: RotatedKey, at: Date): Promise<void> {
    const upload = {
      contentType: 'text/plain',
      contentLength: Buffer.byteLength(CANARY),
      checksumSha256: null,
      overwrite: true,
      acl: rotation.bucket.acl,
      disposition: null,
      uploadId: null,
    };
    const terms = uploadTerms(toIssuance(rotation, key, at), upload);
    const url = await this.#sign(rotation, key, 'canary', terms);
    const { host: _, 'content-length': __, ...headers } = terms.headers as Record<string, string>;
    await askStore(this.outgoing, url, { method: 'PUT', headers, body: CANARY });
  }

  async #pairOf(rotation: Rotation, { canary, control, at }: Looks): Promise<Pair> {
    const { url } = toIssuance(rotation, canary, at);
    const name = [rotation.id, canary.id, control?.id, url].join(' ');
    for (const [other, pair] of this.#pairs)
      if (at.getTime() - pair.at.getTime() >= REUSED_FOR_MS) this.#pairs.delete(other);

    const known = this.#pairs.get(name);
    if (known) return known;
    const download = { method: 'GET', disposition: null, filename: null, contentType: null, versionId: null } as const;
    const termsOf = (key: RotatedKey) => downloadTerms(toIssuance(rotation, key, at), download);
    const pair = {
      at,
      canary: await this.#sign(rotation, canary, 'canary', termsOf(canary)),
      control: control && (await this.#sign(rotation, control, 'control', termsOf(control))),
    };
    this.#pairs.set(name, pair);
    return pair;
  }

  async #sign(rotation: Rotation, key: RotatedKey, purpose: 'canary' | 'control', terms: UrlTerms): Promise<string> {
    const [receipt] = await this.ledger.record([toDecision(rotation, purpose, terms)]);
    if (!receipt) throw new Error('the rotation is over, or the key is none of its own');
    const { id: signingKeyId, accessKeyId, sealedCredential } = key;
    if (accessKeyId === null || sealedCredential === null) throw new Error('the key has no credential any more');
    const opened = this.seal.open(Buffer.from(sealedCredential), { tenantId: rotation.tenantId, signingKeyId });
    return this.signer.sign(receipt, { signingKeyId, accessKeyId, ...opened });
  }
}

/** For the bucket's own endpoint: it is we who ask, and not a client. */
function toIssuance({ bucket }: Rotation, key: RotatedKey, at: Date) {
  return {
    url: objectAddress(bucket, bucket.keyPrefix + CANARY_KEY),
    region: bucket.region,
    issuedAt: Math.floor(at.getTime() / 1000),
    expiresInSeconds: EXPIRES_IN_SECONDS,
    signingKeyId: key.id,
  };
}

function toDecision(
  rotation: Rotation,
  purpose: 'canary' | 'control',
  terms: UrlTerms,
): IssuanceDecision<UrlTerms> & { decision: 'granted' } {
  const isUpload = terms.method === 'PUT';
  return {
    ...askerOfRotation(rotation),
    issuanceId: newIssuanceId(),
    action: isUpload ? 'upload-url' : 'download-url',
    bucket: rotation.bucket.name,
    key: CANARY_KEY,
    useCase: 'rotation',
    contentType: isUpload ? 'text/plain' : null,
    contentLength: isUpload ? Buffer.byteLength(CANARY) : null,
    details: { rotationId: rotation.id, purpose },
    rotationId: rotation.id,
    decision: 'granted',
    terms,
  };
}
