import type { IssuedPart } from '../api.js';
import type { Course } from './course.js';
import { atOnce } from './at-once.js';
import { allParts, partOf, type PartPlan } from './part-plan.js';
import { PartUrls } from './part-urls.js';
import { sendPart } from './send-part.js';
import { sha256 } from './sha256.js';
import type { NamedPart } from './upload-calls.js';

/** The parts of one upload: which the store has, and how the others get there. */
export class MultipartUpload {
  /** Of every part that was sent, its ETag, or null where the page may not see it. */
  readonly #sent = new Map<number, string | null>();
  readonly #urls: PartUrls;

  constructor(
    private readonly course: Course,
    private readonly plan: PartPlan,
  ) {
    const { partChecksums = false, concurrency = 4 } = course.options;
    // A part is read twice where it is hashed: no further ahead than those that are on their way.
    const batch = partChecksums ? [concurrency] : [];
    this.#urls = new PartUrls(
      (numbers) => this.#issue(numbers),
      () => this.#missing(),
      ...batch,
    );
  }

  /** What the store has of the right size is there. */
  async findSent(): Promise<void> {
    for (const { partNumber, size, etag } of await this.course.calls.listParts(this.plan.id)) {
      if (this.#part(partNumber).size === size) this.#note(partNumber, etag);
    }
  }

  async sendMissing(): Promise<void> {
    const { concurrency = 4, signal } = this.course.options;
    await atOnce(concurrency, this.#missing(), signal, async (partNumber, stop) => {
      this.#note(partNumber, await sendPart(this.course, this.#urls, this.#part(partNumber), partNumber, stop));
    });
  }

  /** Sends again whatever the store does not have as we sent it. */
  async sendLost(): Promise<void> {
    const stored = new Map((await this.course.calls.listParts(this.plan.id)).map((part) => [part.partNumber, part]));
    for (const [partNumber, etag] of this.#sent) {
      const there = stored.get(partNumber);
      const isOurs = there?.size === this.#part(partNumber).size && (etag === null || there.etag === etag);
      if (!isOurs) this.#sent.delete(partNumber);
    }
    await this.sendMissing();
  }

  /** What a completion names, so that no other part can stand in for ours. Where the page may not see ETags, nothing: the store's list is taken. */
  sentParts(): NamedPart[] | undefined {
    const parts = [...this.#sent].sort(([one], [other]) => one - other);
    const named = parts.flatMap(([partNumber, etag]) => (etag === null ? [] : [{ partNumber, etag }]));
    return named.length === parts.length ? named : undefined;
  }

  async #issue(partNumbers: number[]): Promise<IssuedPart[]> {
    const { options, calls } = this.course;
    if (!options.partChecksums) return calls.issueParts(this.plan.id, partNumbers);
    const checksums = [];
    for (const partNumber of partNumbers) checksums.push(await sha256(this.#part(partNumber)));
    return calls.issueParts(this.plan.id, partNumbers, checksums);
  }

  #note(partNumber: number, etag: string | null): void {
    this.#sent.set(partNumber, etag);
    this.course.progress.set(partNumber, this.#part(partNumber).size);
  }

  #missing = (): number[] => allParts(this.plan).filter((partNumber) => !this.#sent.has(partNumber));

  #part = (partNumber: number): Blob => partOf(this.course.file, this.plan, partNumber);
}
