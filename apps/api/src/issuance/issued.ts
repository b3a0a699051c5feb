import type { FormTerms, MultipartTerms, Receipt, UrlTerms } from '@countersign/ledger';

/** What somebody got for a wish: a URL, a form, or an upload in parts, whose URLs are asked for afterwards. */
export type Issued = IssuedOneUrl | IssuedForm | BegunMultipart;

interface Common {
  expiryLimitedBy: 'credential' | null;
}

export interface IssuedOneUrl extends Common {
  kind: 'url';
  receipt: Receipt<UrlTerms>;
  url: string;
  /** Of a pair: the HEAD's. */
  headUrl: string | null;
}

export interface IssuedForm extends Common {
  kind: 'form';
  receipt: Receipt<FormTerms>;
  /** All that the form sends before `file`. */
  fields: Record<string, string>;
}

export interface BegunMultipart extends Common {
  kind: 'multipart';
  receipt: Receipt<MultipartTerms>;
  /** Whether it was begun, or ought to have been, for the same request before. */
  isAgain: boolean;
}
