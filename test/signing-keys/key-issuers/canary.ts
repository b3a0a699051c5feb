import { randomUUID } from 'node:crypto';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { IssuedKey } from '@countersign/signing-keys';

/** Whether the run's store believes a key: `accepted`, or its code. */
export async function canary({ accessKeyId, secretAccessKey }: IssuedKey): Promise<string> {
  const env = process.env;
  const client = new S3Client({
    endpoint: env['STORAGE_ENDPOINT'] ?? '',
    region: env['STORAGE_REGION'] ?? '',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  const command = new GetObjectCommand({ Bucket: env['STORAGE_BUCKET'] ?? '', Key: `nothing/${randomUUID()}` });
  const response = await fetch(await getSignedUrl(client, command, { expiresIn: 60 }));
  const code = /<Code>(\w+)<\/Code>/.exec(await response.text())?.[1] ?? `${response.status}`;
  // Whoever is told that there is nothing was believed.
  return code === 'NoSuchKey' ? 'accepted' : code;
}
