/** One request to the store, by a presigned URL or a form. */
export interface StoreRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: Blob | FormData;
  signal?: AbortSignal | undefined;
  /** Where the platform tells it. */
  onSent: (bytes: number) => void;
}

export interface StoreAnswer {
  status: number;
  body: string;
  etag: string | null;
  retryAfter: string | null;
}
