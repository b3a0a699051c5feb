// A bucket of one's own at the run's store, where a test changes what binds everybody in it: its policy, its CORS rules. Of a Ceph gateway the
// run's variables also name a second user, who owns nothing: STORAGE_OTHER_UID, STORAGE_OTHER_ACCESS_KEY_ID, STORAGE_OTHER_SECRET_ACCESS_KEY.
import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  ListObjectsV2Command,
  PutBucketCorsCommand,
  PutBucketPolicyCommand,
  S3Client,
} from '@aws-sdk/client-s3';

export interface StoreBucket {
  name: string;
  putPolicy(policy: object): Promise<void>;
  /** Lets pages of this origin do what they must, and no more. */
  allowPages(origin: string, exposed?: string[], methods?: string[]): Promise<void>;
  /** All that is in it. */
  keys(): Promise<string[]>;
}

/** Made, and owned, by the user of the run's credentials. */
export async function makeBucket(): Promise<StoreBucket> {
  const env = process.env;
  const Bucket = `test-${randomUUID()}`;
  const client = clientOf({
    accessKeyId: env['STORAGE_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: env['STORAGE_SECRET_ACCESS_KEY'] ?? '',
  });
  await client.send(new CreateBucketCommand({ Bucket }));
  return {
    name: Bucket,
    putPolicy: async (policy) => {
      await client.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify(policy) }));
    },
    allowPages: async (origin, exposed = ['ETag'], methods = ['GET', 'HEAD', 'PUT', 'POST']) => {
      const rule = {
        AllowedOrigins: [origin],
        AllowedMethods: methods,
        AllowedHeaders: [
          'content-type',
          'content-disposition',
          'if-none-match',
          'x-amz-acl',
          'x-amz-checksum-sha256',
          'x-amz-meta-countersign-upload',
        ],
        ExposeHeaders: exposed,
      };
      await client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: [rule] } }));
    },
    keys: async () => {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
      return Contents.map(({ Key }) => Key ?? '');
    },
  };
}

/** The store, as whoever has a credential reaches it. */
export function clientOf(credentials: { accessKeyId: string; secretAccessKey: string }): S3Client {
  const env = process.env;
  return new S3Client({
    endpoint: env['STORAGE_ENDPOINT'] ?? '',
    region: env['STORAGE_REGION'] ?? '',
    forcePathStyle: true,
    credentials,
  });
}

/** S3's code of a refusal, or null where there is none. */
export function refusalOf(request: Promise<unknown>): Promise<string | null> {
  return request.then(
    () => null,
    (error: unknown) => (error as Error).name,
  );
}
