import { contentTypeOfKey, isActive } from './content-type.js';

export interface Presentation {
  disposition: 'attachment' | 'inline' | null;
  /** What the store is told to answer as, or null: as the object was stored. */
  contentType: string | null;
}

/**
 * How a browser is to take a download. What it would run is always an attachment, whatever was asked. `inline` is given only
 * together with a pinned type that is harmless: an object stored as `text/html` under `photo.png` would run otherwise. Where that
 * type is neither asked for nor told by the key's extension, the answer is an attachment.
 */
export function presentDownload(wanted: {
  key: string;
  disposition: 'attachment' | 'inline' | null;
  contentType: string | null;
}): Presentation {
  const contentType = wanted.contentType ?? contentTypeOfKey(wanted.key);
  if (contentType !== null && isActive(contentType))
    return { disposition: 'attachment', contentType: wanted.contentType };
  if (wanted.disposition !== 'inline') {
    return { disposition: wanted.disposition, contentType: wanted.contentType };
  }
  return contentType === null ? { disposition: 'attachment', contentType } : { disposition: 'inline', contentType };
}
