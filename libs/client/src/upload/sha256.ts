export const LARGEST_HASHED_BYTES = 256 * 1024 * 1024;

/** The Base64 of a blob's SHA-256. It is read into memory whole: `crypto.subtle` has no other way. */
export async function sha256(blob: Blob): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', await blob.arrayBuffer());
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}

/** What is promised of the whole file, if anything is. */
export async function checksumOf(file: Blob, checksum: boolean | string | undefined): Promise<string | undefined> {
  if (checksum !== true) return checksum || undefined;
  if (file.size <= LARGEST_HASHED_BYTES) return sha256(file);
  // Said before anything is asked for: a checksum that was left out without a word would promise too much.
  throw new RangeError(`A file of ${file.size} bytes is not hashed in memory: give the SHA-256 as \`checksum\`.`);
}
