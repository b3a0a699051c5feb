export interface EncryptionKey {
  version: number;
  /** 32 bytes. */
  key: Buffer;
}

/** `1:<base64 of 32 bytes>[,2:…]`, oldest first or not: the highest version seals, all of them open. Null when it is not that. */
export function parseEncryptionKeys(text: string): EncryptionKey[] | null {
  const keys = text.split(',').map((entry) => {
    const [, version, base64] = /^\s*([1-9]\d{0,2}):([A-Za-z0-9+/]{43}=)\s*$/.exec(entry) ?? [];
    return version && base64 ? { version: Number(version), key: Buffer.from(base64, 'base64') } : null;
  });
  if (!keys.every((key) => key !== null) || keys.length === 0) return null;
  if (new Set(keys.map((key) => key.version)).size !== keys.length || keys.some((key) => key.version > 255))
    return null;
  return keys.toSorted((a, b) => b.version - a.version);
}
