// Makes the bucket that the storage suite's variables name, at an empty store that somebody has just started for it.
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

const { STORAGE_ENDPOINT, STORAGE_REGION, STORAGE_BUCKET, STORAGE_ACCESS_KEY_ID, STORAGE_SECRET_ACCESS_KEY } =
  process.env;

const client = new S3Client({
  endpoint: STORAGE_ENDPOINT,
  region: STORAGE_REGION,
  forcePathStyle: true,
  credentials: { accessKeyId: STORAGE_ACCESS_KEY_ID, secretAccessKey: STORAGE_SECRET_ACCESS_KEY },
});
await client.send(new CreateBucketCommand({ Bucket: STORAGE_BUCKET }));
