import { setTimeout as sleep } from 'node:timers/promises';
import { put, type StorageTest } from '../storage-fixture.js';

const PATIENT_SECONDS = 3;

/**
 * Clients that never rest: they ask for URLs and use them, at once or at the last moment. Whatever the API or the store refuses them is a
 * failure.
 */
export class BusyClients {
  readonly failures: string[] = [];
  readonly uses = { downloads: 0, uploads: 0, lateDownloads: 0 };
  #isOver = false;
  readonly #lanes: Promise<void>[];

  /** @param key of an object of alice's, which has this content. */
  constructor(
    private readonly storage: StorageTest,
    private readonly key: string,
    private readonly content: string,
  ) {
    const patient = Array.from({ length: 6 }, (_, lane) => this.#repeat(() => this.#downloadLate(), lane * 500));
    this.#lanes = [this.#repeat(() => this.#download()), this.#repeat(() => this.#upload()), ...patient];
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#lanes);
  }

  async #repeat(use: () => Promise<void>, afterMs = 0): Promise<void> {
    await sleep(afterMs);
    while (!this.#isOver) await use().catch((error: unknown) => void this.failures.push(String(error)));
  }

  async #download(): Promise<void> {
    await this.#fetch((await this.#downloadUrl()).url);
    this.uses.downloads++;
  }

  async #upload(): Promise<void> {
    const issued = await this.storage.uploadUrl(this.storage.freshKey(), 'busy', BRIEF);
    const response = await put(issued, 'busy');
    if (!response.ok) this.failures.push(`upload: ${response.status} ${await response.text()}`);
    this.uses.uploads++;
  }

  async #downloadLate(): Promise<void> {
    const { url, expiresAt } = await this.#downloadUrl();
    await sleep(Date.parse(expiresAt) - Date.now() - 500);
    await this.#fetch(url);
    this.uses.lateDownloads++;
  }

  #downloadUrl() {
    return this.storage.downloadUrl(this.key, BRIEF);
  }

  async #fetch(url: string): Promise<void> {
    const response = await fetch(url);
    const text = await response.text();
    if (text !== this.content) this.failures.push(`download: ${response.status} ${text}`);
  }
}

const BRIEF = { useCase: 'brief', expiresInSeconds: PATIENT_SECONDS };
