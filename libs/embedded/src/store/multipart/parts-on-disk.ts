import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { ObjectName, StagedBody } from '../object-store.js';
import { S3Error } from '../s3-error.js';

export interface StoredPart {
  partNumber: number;
  etag: string;
  size: number;
  modifiedAt: Date;
  file: string;
}

interface UploadRecord extends ObjectName {
  metadata: Record<string, string>;
}

export interface StartedUpload extends ObjectName {
  uploadId: string;
  initiatedAt: Date;
}

/** A multipart upload: a directory with its record, and its parts in files named `<number>.<md5>`. */
export class PartsOnDisk {
  private constructor(
    private readonly directory: string,
    readonly record: UploadRecord,
  ) {}

  static async create(uploadsDir: string, record: UploadRecord): Promise<string> {
    const uploadId = randomBytes(16).toString('hex');
    await mkdir(path.join(uploadsDir, uploadId));
    await writeFile(path.join(uploadsDir, uploadId, 'upload.json'), JSON.stringify(record));
    return uploadId;
  }

  /** Those of a bucket whose keys begin like this, by key and then by id. */
  static async ofBucket(uploadsDir: string, bucket: string, prefix: string): Promise<StartedUpload[]> {
    const started = (await readdir(uploadsDir)).map(async (uploadId) => {
      const file = path.join(uploadsDir, uploadId, 'upload.json');
      try {
        const record = JSON.parse(await readFile(file, 'utf8')) as UploadRecord;
        return { ...record, uploadId, initiatedAt: (await stat(file)).mtime };
      } catch {
        // It was only just begun, or is over by now.
        return null;
      }
    });
    return (await Promise.all(started))
      .filter((upload) => upload !== null)
      .filter((upload) => upload.bucket === bucket && upload.key.startsWith(prefix))
      .sort((left, right) => compare(left.key, right.key) || compare(left.uploadId, right.uploadId));
  }

  /** Attacks: an upload id with `..` in it; the upload of one object used to write another. */
  static async open(uploadsDir: string, uploadId: string, { bucket, key }: ObjectName): Promise<PartsOnDisk> {
    const missing = new S3Error('NoSuchUpload', 'The specified multipart upload does not exist.');
    if (!/^[0-9a-f]{32}$/.test(uploadId)) throw missing;
    const directory = path.join(uploadsDir, uploadId);
    const text = await readFile(path.join(directory, 'upload.json'), 'utf8').catch(() => undefined);
    if (text === undefined) throw missing;
    const record = JSON.parse(text) as UploadRecord;
    if (record.bucket !== bucket || record.key !== key) throw missing;
    return new PartsOnDisk(directory, record);
  }

  /** A part sent again replaces the earlier one. */
  async keep(partNumber: number, { file, md5Hex }: StagedBody): Promise<void> {
    const earlier = (await readdir(this.directory)).filter((name) => name.startsWith(`${partNumber}.`));
    for (const name of earlier) await rm(path.join(this.directory, name), { force: true });
    await rename(file, path.join(this.directory, `${partNumber}.${md5Hex}`));
  }

  async list(): Promise<StoredPart[]> {
    const names = (await readdir(this.directory)).filter((name) => name !== 'upload.json');
    const parts = names.map(async (name) => {
      const file = path.join(this.directory, name);
      const { size, mtime } = await stat(file);
      const [partNumber, etag = ''] = name.split('.');
      return { partNumber: Number(partNumber), etag, size, modifiedAt: mtime, file };
    });
    return (await Promise.all(parts)).sort((left, right) => left.partNumber - right.partNumber);
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

const compare = (left: string, right: string): number => (left < right ? -1 : Number(left > right));

/** The bytes of the parts, one after the other. */
export function concatenate(parts: StoredPart[]): Readable {
  return Readable.from(
    (async function* () {
      for (const part of parts) yield* createReadStream(part.file);
    })(),
    { objectMode: false },
  );
}

/** As S3 makes it: the MD5 of the parts' MD5s, and how many they are. */
export function multipartEtag(parts: StoredPart[]): string {
  const md5 = createHash('md5');
  for (const part of parts) md5.update(part.etag, 'hex');
  return `${md5.digest('hex')}-${parts.length}`;
}
