import { describe, expect, it, test } from '@jest/globals';
import { type Location, objectAddress } from '@countersign/signing';

const AWS: Location = { endpoint: null, region: 'eu-central-1', bucket: 'photos', forcePathStyle: false };
const at = (endpoint: string, more: Partial<Location> = {}): Location => ({ ...AWS, endpoint, ...more });

test.each<[string, Location, string]>([
  ['AWS', AWS, 'https://photos.s3.eu-central-1.amazonaws.com/a'],
  ['AWS, path style', { ...AWS, forcePathStyle: true }, 'https://s3.eu-central-1.amazonaws.com/photos/a'],
  ['AWS in China', { ...AWS, region: 'cn-north-1' }, 'https://photos.s3.cn-north-1.amazonaws.com.cn/a'],
  // Its wildcard certificate covers one label only.
  ['a dotted bucket', { ...AWS, bucket: 'my.photos' }, 'https://s3.eu-central-1.amazonaws.com/my.photos/a'],
  ['an endpoint', at('https://s3.example.com'), 'https://photos.s3.example.com/a'],
  ['path style', at('https://s3.example.com', { forcePathStyle: true }), 'https://s3.example.com/photos/a'],
  ['a port', at('http://localhost:9000'), 'http://photos.localhost:9000/a'],
  ['a path', at('https://example.com/s3'), 'https://photos.example.com/s3/a'],
  ['a path in path style', at('https://example.com/s3', { forcePathStyle: true }), 'https://example.com/s3/photos/a'],
  ['an IP address', at('https://203.0.113.7'), 'https://203.0.113.7/photos/a'],
  ['an IPv6 address', at('http://[::1]:9000'), 'http://[::1]:9000/photos/a'],
])('%s has its address', (_, location, address) => {
  expect(objectAddress(location, 'a')).toBe(address);
});

it('an endpoint may end in a slash, which adds nothing to the key', () => {
  // Attack: none, but the SDK's own virtual-host addresses then begin every key with a slash, and other clients do not find them.
  for (const forcePathStyle of [true, false]) {
    for (const endpoint of ['https://s3.example.com', 'https://s3.example.com/base']) {
      const location = at(endpoint, { forcePathStyle });
      expect(objectAddress({ ...location, endpoint: `${endpoint}/` }, 'a')).toBe(objectAddress(location, 'a'));
    }
  }
});

it('escapes everything but unreserved characters and the slashes between segments', () => {
  expect(objectAddress(AWS, "a/!'()*~-._%2F+ ?#&=é😀")).toBe(
    'https://photos.s3.eu-central-1.amazonaws.com/a/%21%27%28%29%2A~-._%252F%2B%20%3F%23%26%3D%C3%A9%F0%9F%98%80',
  );
});

describe('there is no address', () => {
  it.each<[string, Location]>([
    // Attack: an alias that the SDK reads as an access point of another service, which is signed in another way.
    ['of an Outposts alias', { ...AWS, bucket: 'test-accessp-o0b1d075431d83bebde8xz5w8ijx1qzlbp3i3kuse10--op-s3' }],
    ['in a region that S3 signs for as another', { ...AWS, region: 'aws-global' }],
    ['in a region that is no name', { ...AWS, region: 'eu central' }],
  ])('%s', (_, location) => {
    expect(() => objectAddress(location, 'a')).toThrow();
  });
});
