import { Example, Timestamp } from '../../http/fields.js';

export class CheckedProperty {
  /** What was tried. */
  name!:
    | 'reachable'
    | 'credentials'
    | 'clock'
    | 'cors'
    | 'overwrite-protection'
    | 'copy-source'
    | 'public-acl'
    | 'post-policies'
    | 'checksums'
    | 'removal';

  /** `skipped` is what could not be tried, or is not there to be tried. */
  result!: 'passed' | 'failed' | 'skipped';

  /** What was seen, in words. */
  detail!: string;

  /** What to do about it, in words; null where nothing is to be done. */
  remedy!: string | null;
}

@Example<BucketCheckResponse>({
  bucket: 'files',
  checkedAt: '2027-01-31T12:00:00.000Z',
  isSound: false,
  checks: [
    { name: 'reachable', result: 'passed', detail: 'The store answered.', remedy: null },
    {
      name: 'copy-source',
      result: 'failed',
      detail: 'The holder of an upload URL copied another object by adding x-amz-copy-source.',
      remedy: 'Put the bucketPolicy of GET /buckets/files/storage-policy on the bucket.',
    },
  ],
})
export class BucketCheckResponse {
  /** The name that the bucket was registered by. */
  bucket!: string;

  /** By the database's clock. */
  @Timestamp() checkedAt!: string;

  /** Whether nothing failed. */
  isSound!: boolean;

  /** In the order in which they were tried. */
  checks!: CheckedProperty[];
}
