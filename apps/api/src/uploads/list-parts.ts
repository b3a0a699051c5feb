import { Injectable } from '@nestjs/common';
import type { Caller } from '../http/caller.js';
import { FindUpload } from './find-upload.js';
import { asMultipart } from './multipart-upload.js';
import { wrongState } from './refusals.js';
import { obeyed, StoreAccess } from './store-access.js';
import type { UploadParts } from './uploads.dto.js';

/** What the store has of a multipart upload, so that whoever was interrupted can go on. */
@Injectable()
export class ListParts {
  constructor(
    private readonly uploads: FindUpload,
    private readonly store: StoreAccess,
  ) {}

  async execute(caller: Caller, id: string): Promise<UploadParts> {
    const upload = asMultipart(await this.uploads.execute(caller, id));
    const listed = obeyed(
      await this.store.ask(upload, NEVER, ({ objects, key }) => objects.listParts(key, upload.storeUploadId)),
    );
    if (listed.kind === 'gone') throw wrongState(upload, 'the store has its parts no more');
    return { parts: listed.parts.map(({ partNumber, size, etag }) => ({ partNumber, size, etag })) };
  }
}

/** Each request to the store ends by itself. */
const NEVER = new AbortController().signal;
