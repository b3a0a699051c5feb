import createClient, { type Client, type Middleware } from 'openapi-fetch';
import { CountersignError } from './countersign-error.js';
import type { components, paths } from './schema.js';

type Schemas = components['schemas'];

export interface CountersignOptions {
  /** Where the installation is, such as `https://countersign.example.com`; a path is kept. */
  baseUrl: string;
  /** The user's JWT, or what gives it: asked before each call, so it can hand out a fresh one. */
  token: string | (() => string | Promise<string>);
  /** In place of the global `fetch`. */
  fetch?: (request: Request) => Promise<Response>;
}

export interface CountersignClient {
  /** Issues a presigned URL that downloads one object. @throws CountersignError */
  createDownloadUrl(request: Schemas['DownloadUrlRequest']): Promise<Schemas['IssuedUrl']>;
  /** Issues a presigned URL that uploads one object, of this type and size. @throws CountersignError */
  createUploadUrl(request: Schemas['UploadUrlRequest']): Promise<Schemas['IssuedUploadUrl']>;
  /** Every other call, typed by its path: `await countersign.api.GET('/grants')`. Throws a CountersignError in place of giving an `error`. */
  readonly api: Client<paths>;
}

/** A client of one installation for one user. It holds no state but the options: make as many as there are users. */
export function createCountersignClient({ baseUrl, token, fetch }: CountersignOptions): CountersignClient {
  const api = createClient<paths>({ baseUrl, ...(fetch ? { fetch } : {}) });
  api.use(authorize(token), throwProblems);
  return {
    api,
    createDownloadUrl: async (body) => present(await api.POST('/download-url', { body })),
    createUploadUrl: async (body) => present(await api.POST('/upload-url', { body })),
  };
}

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

/** What the types cannot know: whatever is not ok was thrown. */
function present<Data>({ data, response }: { data?: Data; response: Response }): Data {
  if (data === undefined) throw new CountersignError({ status: response.status });
  return data;
}
