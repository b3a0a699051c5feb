import { createHash } from 'node:crypto';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import {
  type LeasedUpload,
  LeaseLost,
  type NamedPart,
  partFaults,
  type Upload,
  UploadLeases,
} from '@countersign/uploads';
import { askerOf, type Caller } from '../http/caller.js';
import { invalid } from '../http/request-validation.pipe.js';
import { FindUpload } from './find-upload.js';
import { isMultipart, type MultipartUpload } from './multipart-upload.js';
import { UploadPermission } from './permission.js';
import { keyTaken, notThereYet, partsMissing, stillVerifying, tryAgain, wrongState } from './refusals.js';
import { SettleUpload } from './settle-upload.js';
import { obeyed, StoreAccess } from './store-access.js';
import { toCompletedUpload } from './upload-response.js';
import type { CompletedUpload } from './uploads.dto.js';

/**
 * The story of a completion: find the caller's upload, take its lease, put its parts together if it has any, and hold what is at the store
 * against what was promised. However many ask at once, in whichever replicas, one does it and all get its answer; and whoever dies on the
 * way has left a row that tells the next one where to go on.
 */
@Injectable()
export class CompleteUpload implements OnModuleDestroy {
  readonly #stopping = new AbortController();
  /** What this process does now. */
  readonly #underWay = new Map<string, Promise<Upload>>();

  constructor(
    private readonly uploads: FindUpload,
    private readonly permission: UploadPermission,
    private readonly leases: UploadLeases,
    private readonly store: StoreAccess,
    private readonly settle: SettleUpload,
  ) {}

  /** @throws ProblemError `upload-incomplete` where it is not there yet, which changes nothing; and others */
  async execute(caller: Caller, id: string, named: Named): Promise<CompletedUpload> {
    return toCompletedUpload(await this.#inTime(this.#together(caller, id, named)));
  }

  /** What is under way is left where it is: its lease is given back, and the reconciler takes it up. */
  async onModuleDestroy(): Promise<void> {
    this.#stopping.abort();
    await Promise.allSettled(this.#underWay.values());
  }

  /** A request does not wait for ever; what it waits for goes on. */
  async #inTime(work: Promise<Upload>): Promise<Upload> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(stillVerifying()), this.leases.times.waitMs);
    });
    return Promise.race([work, late]).finally(() => clearTimeout(timer));
  }

  /** Who asks for the same while it is under way gets its answer: the same caller, about the same parts. */
  #together(caller: Caller, id: string, named: Named): Promise<Upload> {
    const { tenantId, subject, groups } = caller;
    const asked = createHash('sha256')
      .update(JSON.stringify([tenantId, subject, groups, id, named]))
      .digest('base64');
    const known = this.#underWay.get(asked);
    if (known) return known;
    const work = this.#answer(caller, id, named).finally(() => this.#underWay.delete(asked));
    // Everybody who asked may have gone.
    work.catch(() => undefined);
    this.#underWay.set(asked, work);
    return work;
  }

  async #answer(caller: Caller, id: string, named: Named): Promise<Upload> {
    const upload = await this.uploads.execute(caller, id);
    if (named && upload.mode !== 'multipart') throw invalid([{ pointer: '/parts', message: PARTS_UNWANTED }]);
    if (isSettled(upload)) return upload;
    assertCompletable(upload);
    if (upload.mode === 'multipart' && upload.state === 'pending') {
      await this.permission.assertGranted(caller, upload, { action: 'upload-completion', details: {} });
    }
    return this.#take(caller, upload, named);
  }

  async #take(caller: Caller, { tenantId, id }: Upload, named: Named): Promise<Upload> {
    const upload = await this.leases.claimInTime({ tenantId, id }, this.#stopping.signal);
    if (!upload) throw stillVerifying();
    // Given back on every way out; whoever recorded an end has done so already.
    try {
      return await this.leases.whileHeld(upload, this.#stopping.signal, (signal) =>
        this.#complete(caller, upload, named, signal),
      );
    } catch (error) {
      if (error instanceof LeaseLost) throw tryAgain('Somebody else has taken the upload up: ask again.');
      if (this.#stopping.signal.aborted) throw tryAgain('The service is being stopped. Nothing is lost: ask again.');
      throw error;
    } finally {
      await this.leases.release(upload);
    }
  }

  async #complete(caller: Caller, upload: LeasedUpload, named: Named, signal: AbortSignal): Promise<Upload> {
    if (isSettled(upload)) return upload;
    assertCompletable(upload);
    const isInParts = upload.state === 'pending' && isMultipart(upload);
    const assembled = isInParts ? await this.#putTogether(upload, named, signal) : upload;
    const settled = await this.settle.execute(assembled, askerOf(caller), signal);
    if (settled) return settled;
    if (upload.state === 'expired') throw wrongState(upload, 'nothing of it came to the store');
    throw notThereYet();
  }

  /** Looks first: whoever died after the store had done it, but before that was recorded, has left the object there. */
  async #putTogether(upload: LeasedUpload & MultipartUpload, named: Named, signal: AbortSignal): Promise<LeasedUpload> {
    const object = await this.store.look(upload, signal);
    if (object?.uploadId === upload.id) return upload;
    if (object && !upload.overwrite) throw keyTaken();

    const { storeUploadId, contentLength } = upload;
    const listed = obeyed(
      await this.store.ask(upload, signal, (store) => store.objects.listParts(store.key, storeUploadId)),
    );
    if (listed.kind === 'gone') throw wrongState(upload, GONE);
    const faults = partFaults(contentLength, upload, listed.parts, named);
    if (faults.length > 0) throw partsMissing(faults);

    const parts = listed.parts.filter(({ partNumber }) => partNumber <= upload.partCount);
    const isNew = !upload.overwrite;
    const completed = obeyed(
      await this.store.ask(upload, signal, (store) =>
        store.objects.completeUpload(store.key, storeUploadId, parts, { isNew }),
      ),
    );
    switch (completed.kind) {
      case 'completed': {
        const { etag } = completed;
        return this.leases.record(upload, (_, __, now) => ({ state: 'uploaded', etag, dueAt: now }));
      }
      case 'exists':
        throw keyTaken();
      case 'gone':
        throw wrongState(upload, GONE);
      case 'conflict':
        throw tryAgain('The store is still busy with the key. Nothing was changed: ask again.');
      case 'wrong-parts':
        throw tryAgain('The store cannot put the parts together. Nothing was changed: list them, and ask again.');
      default:
        return completed satisfies never;
    }
  }
}

/** The parts as the caller knows them, or null: whatever the store has. */
type Named = readonly NamedPart[] | null;

const PARTS_UNWANTED = 'must be left out: the upload was not made in parts';
const GONE = 'the store has its parts no more; begin a new one';

function assertCompletable(upload: Upload): void {
  if (upload.state === 'aborted') throw wrongState(upload, 'it cannot be completed any more');
}

const isSettled = ({ state }: Upload): boolean => state === 'verified' || state === 'rejected';
