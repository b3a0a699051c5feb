import { Injectable } from '@nestjs/common';
import { type LeasedUpload, LeaseLost, type Upload, UploadLeases } from '@countersign/uploads';
import { askerOf, type Caller } from '../http/caller.js';
import { ClearUpload } from './clear-upload.js';
import { FindUpload } from './find-upload.js';
import { tryAgain, wrongState } from './refusals.js';
import { recordUpload } from './upload-ledger.js';

/** Ends an upload before it is verified, and takes away what it has at the store. */
@Injectable()
export class AbortUpload {
  constructor(
    private readonly uploads: FindUpload,
    private readonly leases: UploadLeases,
    private readonly clear: ClearUpload,
  ) {}

  /** Also where it was aborted already. @throws ProblemError `wrong-state` where there is a verdict, or one is being reached */
  async execute(caller: Caller, id: string): Promise<void> {
    const found = await this.uploads.execute(caller, id);
    if (isDone(found)) return;
    assertOpen(found);
    const upload = await this.leases.claimInTime(found, NEVER);
    if (!upload) throw wrongState(found, 'somebody is at work on it; try again');
    try {
      await this.leases.whileHeld(upload, NEVER, (signal) => this.#abort(caller, upload, signal));
    } catch (error) {
      if (error instanceof LeaseLost) throw tryAgain('Somebody else has taken the upload up: ask again.');
      throw error;
    } finally {
      await this.leases.release(upload);
    }
  }

  /** The intent first, and then the store: whoever dies between them has left it to the reconciler. */
  async #abort(caller: Caller, upload: LeasedUpload, signal: AbortSignal): Promise<void> {
    // It may have come to its end while we waited.
    if (isDone(upload)) return;
    assertOpen(upload);
    const asker = askerOf(caller);
    const aborted =
      upload.state === 'aborted'
        ? upload
        : await this.leases.record(upload, async (transaction, current, now) => {
            await recordUpload(transaction, asker, current, 'upload.aborted');
            return { state: 'aborted', finishedAt: now, looks: 0, dueAt: now, attempts: 0 };
          });
    await this.clear.execute(aborted, asker, signal);
  }
}

/** Aborted, and seen to have nothing at the store. */
const isDone = ({ state, looks }: Upload): boolean => state === 'aborted' && looks > 0;

function assertOpen(upload: Upload): void {
  if (upload.state === 'verified' || upload.state === 'rejected') throw wrongState(upload, 'it is over');
  const isStarting = upload.mode === 'multipart' && upload.storeUploadId === null && upload.state === 'pending';
  if (isStarting) throw wrongState(upload, 'the store has not begun it yet, and if it never does it ends by itself');
}

/** Each request to the store ends by itself. */
const NEVER = new AbortController().signal;
