import ipaddr from 'ipaddr.js';

/** What is wrong with an S3 bucket's name, or null (Amazon S3 User Guide, "General purpose bucket naming rules"). */
export function bucketNameFault(name: string): string | null {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) || name.includes('..'))
    return 'must be the name of an S3 bucket, 3 to 63 of a-z, 0-9, "." and "-"';
  if (ipaddr.IPv4.isValidFourPartDecimal(name)) return 'must not look like an IP address';
  // Directory buckets sign by sessions of their own; access points are no buckets.
  return /^xn--|^sthree-|-s3alias$|--ol-s3$|--x-s3$|\.mrap$/.test(name) ? 'must be a general purpose bucket' : null;
}
