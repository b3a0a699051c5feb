import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import {
  type FormTerms,
  isReceipt,
  isReceiptFor,
  type PartsTerms,
  type Receipt,
  type Terms,
  type UrlTerms,
} from '@countersign/ledger';
import { agree, type Presign } from './agree.js';
import { type Credential, DerivedKeys } from './derived-keys.js';
import { partUrlTerms } from './parts.js';
import { signedForm } from './post-policy.js';
import { sdkPresign } from './sdk-presign.js';
import { SigV4Presigner } from './sigv4.js';

/** Signs; local CPU, no network. */
@Injectable()
export class UrlSigner implements OnModuleInit {
  readonly #derivedKeys = new DerivedKeys();
  readonly #presigner = new SigV4Presigner(this.#derivedKeys);
  #presign: Presign = (terms, credential) => this.#presigner.presign(terms, credential);

  /**
   * The presigned URL of a receipt's terms: byte for byte what `getSignedUrl` of `@aws-sdk/s3-request-presigner` gives for them.
   *
   * It takes a receipt because there is no URL without its ledger row (invariant 1), and signs with the signing key that the row names
   * and no other, or a rotation would not know what it kills.
   * @throws TypeError for anything that the ledger did not make, for terms of another kind, and for another key's credential. So do the others.
   */
  sign(receipt: Receipt<UrlTerms>, credential: Credential): string | Promise<string> {
    assertSignable(receipt, 'url', credential);
    return this.#presign(receipt.terms, credential);
  }

  /** The URL of a pair's HEAD, or null where the terms are for no pair. */
  signHead(receipt: Receipt<UrlTerms>, credential: Credential): string | Promise<string> | null {
    assertSignable(receipt, 'url', credential);
    const { headQuery: query } = receipt.terms;
    return query ? this.#presign({ ...receipt.terms, method: 'HEAD', query }, credential) : null;
  }

  /** All fields of an upload form, to be sent before `file`. Whoever has them can upload until they expire, as with a URL. */
  signForm(receipt: Receipt<FormTerms>, credential: Credential): Record<string, string> {
    assertSignable(receipt, 'form', credential);
    return signedForm(receipt.terms, credential, this.#derivedKeys);
  }

  /** A presigned URL for each part, in the order of the terms. */
  async signParts(
    receipt: Receipt<PartsTerms>,
    credential: Credential,
  ): Promise<{ partNumber: number; url: string }[]> {
    assertSignable(receipt, 'parts', credential);
    const { terms } = receipt;
    return Promise.all(
      terms.parts.map(async (part) => ({
        partNumber: part.partNumber,
        url: await this.#presign(partUrlTerms(terms, part), credential),
      })),
    );
  }

  /** Ours is believed only where it agrees with the SDK that is installed; otherwise the SDK's, slower, signs everything. */
  async onModuleInit(): Promise<void> {
    if (await agree(this.#presign, sdkPresign)) return;
    this.#presign = sdkPresign;
    new Logger('UrlSigner').error(
      'URLs are signed by the SDK, at a tenth of the speed: it signs otherwise than we do.',
    );
  }
}

function assertSignable(receipt: Receipt, kind: Terms['kind'], { signingKeyId }: Credential): void {
  if (!isReceipt(receipt)) throw new TypeError('only a receipt of the ledger can be signed');
  if (!isReceiptFor(receipt, kind)) throw new TypeError(`the receipt is not for terms of the kind "${kind}"`);
  if (receipt.terms.signingKeyId === signingKeyId) return;
  throw new TypeError("the credential is not that of the receipt's signing key");
}
