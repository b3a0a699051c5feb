import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Config } from '@countersign/config';
import { LRUCache } from 'lru-cache';

/** What a storage credential keeps secret. */
export interface StorageCredential {
  secretAccessKey: string;
  sessionToken?: string;
}

/** Which row a secret belongs to: a signing key's, or that of a bucket's key issuer. */
export type SealedRow = { tenantId: string } & ({ signingKeyId: string } | { keyIssuerOfBucketId: string });

/** 96 bits, random (NIST SP 800-38D §8.2.2). */
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Credentials that are in use at once. */
const MAX_KEPT = 10_000;

/**
 * Storage credentials at rest: AES-256-GCM under a key from the environment, bound to tenant and row, so that a ciphertext that was
 * moved to another row does not open. Sealed bytes are `version (1) | iv (12) | ciphertext | tag (16)`; the version names the key, and
 * the highest one seals, so keys are changed by adding one.
 */
@Injectable()
export class CredentialSeal {
  readonly #kept = new LRUCache<string, { sealed: string; tenantId: string; credential: StorageCredential }>({
    max: MAX_KEPT,
  });

  constructor(private readonly config: Config) {}

  seal(credential: StorageCredential, row: SealedRow): Buffer {
    const [newest] = this.config.encryptionKeys;
    if (!newest) throw new Error('there is no encryption key');
    const version = Buffer.of(newest.version);
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', newest.key, iv).setAAD(boundTo(row, version));
    const ciphertext = Buffer.concat([cipher.update(JSON.stringify(credential), 'utf8'), cipher.final()]);
    return Buffer.concat([version, iv, ciphertext, cipher.getAuthTag()]);
  }

  /**
   * The same for the hot path, where one row is opened again and again: what was opened is kept while its row says the same bytes.
   * @param sealed Base64, as the row has it
   */
  openKept(sealed: string, row: Extract<SealedRow, { signingKeyId: string }>): Readonly<StorageCredential> {
    const kept = this.#kept.get(row.signingKeyId);
    if (kept?.sealed === sealed && kept.tenantId === row.tenantId) return kept.credential;
    const credential = Object.freeze(this.open(Buffer.from(sealed, 'base64'), row));
    this.#kept.set(row.signingKeyId, { sealed, tenantId: row.tenantId, credential });
    return credential;
  }

  /** @throws where the bytes were changed, belong to another row, or were sealed under a key that is no longer configured. */
  open(sealed: Buffer, row: SealedRow): StorageCredential {
    const version = sealed.subarray(0, 1);
    const key = this.config.encryptionKeys.find((candidate) => candidate.version === version[0])?.key;
    if (!key)
      throw new Error(
        `ENCRYPTION_KEYS has no version ${version[0]}, which the secret of ${nameOf(row)} is sealed under`,
      );
    const iv = sealed.subarray(1, 1 + IV_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
      .setAAD(boundTo(row, version))
      .setAuthTag(sealed.subarray(-TAG_BYTES));
    const text = Buffer.concat([
      decipher.update(sealed.subarray(1 + IV_BYTES, -TAG_BYTES)),
      decipher.final(),
    ]).toString();
    return JSON.parse(text) as StorageCredential;
  }
}

function boundTo(row: SealedRow, version: Buffer): Buffer {
  return Buffer.concat([version, Buffer.from(`countersign:${nameOf(row)}`)]);
}

/** The kind is a part of it: a key issuer's secret opens in no signing key's row either. */
function nameOf({ tenantId, ...row }: SealedRow): string {
  if ('signingKeyId' in row) return `signing-key:${tenantId}:${row.signingKeyId}`;
  return `key-issuer:${tenantId}:${row.keyIssuerOfBucketId}`;
}
