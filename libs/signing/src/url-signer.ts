import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { type Receipt, isReceipt } from '@countersign/ledger';
import { agree, type Presign } from './agree.js';
import { sdkPresign } from './sdk-presign.js';
import { type Credential, SigV4Presigner } from './sigv4.js';

/** Signs; local CPU, no network. */
@Injectable()
export class UrlSigner implements OnModuleInit {
  readonly #presigner = new SigV4Presigner();
  #presign: Presign = (terms, credential) => this.#presigner.presign(terms, credential);

  /**
   * The presigned URL of a receipt's terms: byte for byte what `getSignedUrl` of `@aws-sdk/s3-request-presigner` gives for them.
   *
   * It takes a receipt because there is no URL without its ledger row (invariant 1), and signs with the signing key that the row names
   * and no other, or a rotation would not know what it kills.
   * @throws TypeError for anything that the ledger did not make, and for another key's credential.
   */
  async sign(receipt: Receipt, credential: Credential): Promise<string> {
    if (!isReceipt(receipt)) throw new TypeError('only a receipt of the ledger can be signed');
    if (receipt.terms.signingKeyId !== credential.signingKeyId)
      throw new TypeError("the credential is not that of the receipt's signing key");
    return this.#presign(receipt.terms, credential);
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
