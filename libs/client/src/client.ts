import createClient, { type Client, type Middleware } from 'openapi-fetch';
import type {
  IssuedMultipartUpload,
  IssuedPostUpload,
  IssuedPutUpload,
  IssuedUpload,
  Upload,
  UploadUrlRequest,
} from './api.js';
import { CountersignError } from './countersign-error.js';
import { present } from './present.js';
import type { components, paths } from './schema.js';
import { uploadFile } from './upload/upload-file.js';
import type { VerifiedUpload } from './upload/finish-upload.js';
import type { UploadOptions } from './upload/upload-options.js';

type Schemas = components['schemas'];

export interface CountersignOptions {
  /** Where the installation is, such as `https://countersign.example.com`; a path is kept. */
  baseUrl: string;
  /** The user's JWT, or what gives it: asked before each call, so it can hand out a fresh one. */
  token: string | (() => string | Promise<string>);
  /** In place of the global `fetch`, for calls of the service. What goes to the store does not go through it. */
  fetch?: (request: Request) => Promise<Response>;
}

export interface CallOptions {
  /**
   * A new name for this call, such as `crypto.randomUUID()`, and the same one wherever the call is made again because no answer came: then what was
   * issued the first time is given again, for 24 hours, and nothing is issued twice.
   */
  idempotencyKey?: string;
}

export interface CountersignClient {
  /** Issues a presigned URL that downloads one object. @throws CountersignError */
  createDownloadUrl(request: Schemas['DownloadUrlRequest'], options?: CallOptions): Promise<Schemas['IssuedUrl']>;
  /** Issues what uploads one object, of this type and size; `mode` says what that is. @throws CountersignError */
  createUploadUrl(request: UploadUrlRequest & { mode?: 'put' }, options?: CallOptions): Promise<IssuedPutUpload>;
  createUploadUrl(request: UploadUrlRequest & { mode: 'post' }, options?: CallOptions): Promise<IssuedPostUpload>;
  createUploadUrl(
    request: UploadUrlRequest & { mode: 'multipart' },
    options?: CallOptions,
  ): Promise<IssuedMultipartUpload>;
  createUploadUrl(request: UploadUrlRequest, options?: CallOptions): Promise<IssuedUpload>;
  /**
   * Stores a file, and resolves once the service has verified at the store that it is there as it was promised. It takes any Blob: a page's File,
   * or in Node what `fs.openAsBlob` opens. It is read as it is sent, and what failed for a moment is tried again.
   * @throws UploadError once there is an upload to resume; UploadRejectedError where something else was found; CountersignError before.
   */
  upload(file: Blob, options: UploadOptions): Promise<VerifiedUpload>;
  /** An upload of this user's as it stands. @throws CountersignError */
  getUpload(uploadId: string): Promise<Upload>;
  /** Ends an upload that is not to be resumed: what the store has of it is removed. Again is well too. @throws CountersignError */
  abortUpload(uploadId: string): Promise<void>;
  /** Every other call, typed by its path: `await countersign.api.GET('/grants')`. Throws a CountersignError in place of giving an `error`. */
  readonly api: Client<paths>;
}

/** A client of one installation for one user. It holds no state but the options: make as many as there are users. */
export function createCountersignClient({ baseUrl, token, fetch }: CountersignOptions): CountersignClient {
  const api = createClient<paths>({ baseUrl, ...(fetch ? { fetch } : {}) });
  api.use(authorize(token), throwProblems);
  const createUploadUrl = (async (body: UploadUrlRequest, options?: CallOptions): Promise<IssuedUpload> =>
    present(await api.POST('/upload-url', { body, ...headerOf(options) }))) as CountersignClient['createUploadUrl'];
  return {
    api,
    createUploadUrl,
    createDownloadUrl: async (body, options) =>
      present(await api.POST('/download-url', { body, ...headerOf(options) })),
    upload: (file, options) => uploadFile(api, file, options),
    getUpload: async (id) => present(await api.GET('/uploads/{id}', { params: { path: { id } } })),
    abortUpload: async (id) => void (await api.DELETE('/uploads/{id}', { params: { path: { id } } })),
  };
}

const headerOf = ({ idempotencyKey }: CallOptions = {}) =>
  idempotencyKey === undefined ? {} : { params: { header: { 'Idempotency-Key': idempotencyKey } } };

function authorize(token: CountersignOptions['token']): Middleware {
  return {
    async onRequest({ request }) {
      request.headers.set('authorization', `Bearer ${typeof token === 'string' ? token : await token()}`);
      return request;
    },
  };
}

const throwProblems: Middleware = {
  async onResponse({ response }) {
    if (!response.ok) throw await CountersignError.of(response);
  },
};
