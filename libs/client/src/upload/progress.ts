import type { UploadProgress } from './upload-options.js';

/** Tells how much was sent. A part that has to be sent again takes nothing back: the count waits until it is past where it was. */
export class Progress {
  readonly #sentOf = new Map<number, number>();
  #sentBytes = 0;
  #told = -1;

  constructor(
    private readonly totalBytes: number,
    private readonly onProgress: (progress: UploadProgress) => void = () => undefined,
  ) {}

  /** @param bytes how much of this part has been sent by now. */
  set(partNumber: number, bytes: number): void {
    this.#sentBytes += bytes - (this.#sentOf.get(partNumber) ?? 0);
    this.#sentOf.set(partNumber, bytes);
    if (this.#sentBytes <= this.#told) return;
    this.#told = this.#sentBytes;
    this.onProgress({ sentBytes: this.#told, totalBytes: this.totalBytes });
  }
}
