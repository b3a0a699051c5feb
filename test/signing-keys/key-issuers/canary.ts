import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
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
  const command = new ListObjectsV2Command({ Bucket: env['STORAGE_BUCKET'] ?? '', MaxKeys: 1 });
  const response = await fetch(await getSignedUrl(client, command, { expiresIn: 60 }));
  const text = await response.text();
  return response.ok ? 'accepted' : (/<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? `${response.status}`);
}
