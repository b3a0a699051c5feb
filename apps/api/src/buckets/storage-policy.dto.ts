import { Example, FreeForm } from '../http/fields.js';

@Example<StoragePolicyResponse>({
  bucket: 'files',
  signingKeyPolicy: {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'ReadAndWriteThePrefix',
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:PutObject'],
        Resource: ['arn:aws:s3:::acme/*'],
      },
    ],
  },
  bucketPolicy: { Version: '2012-10-17', Statement: [] },
  notes: ['Put signingKeyPolicy on the IAM user whose access keys sign for this bucket.'],
})
export class StoragePolicyResponse {
  /** The name that the bucket was registered by. */
  bucket!: string;

  /** An IAM policy for the user whose access keys sign: all that they need, and nothing more. */
  @FreeForm() signingKeyPolicy!: object;

  /** A policy for the bucket at its store: it refuses the same of everybody, and lets the signing key's user in where that is known. */
  @FreeForm() bucketPolicy!: object;

  /** Where each of them goes at this store, and what the store does not do with it. */
  notes!: string[];
}
