import { S3RequestPresigner } from '@aws-sdk/s3-request-presigner';
import type { IssuedKey } from '@countersign/signing-keys';
import { Sha256 } from '@smithy/core/checksum';
import { HttpRequest } from '@smithy/protocol-http';

/** What the run's store answers to a URL of this key: S3's code, or the status where there is none. */
export async function ask(key: string, credentials: IssuedKey): Promise<string> {
  const env = process.env;
  const { protocol, hostname, port, host } = new URL(env['STORAGE_ENDPOINT'] ?? '');
  const path = `/${env['STORAGE_BUCKET']}/${key}`;
  const presigner = new S3RequestPresigner({ region: env['STORAGE_REGION'] ?? '', credentials, sha256: Sha256 });
  const request = { method: 'GET', protocol, hostname, port: Number(port), path, headers: { host } };
  const { query } = await presigner.presign(new HttpRequest(request), { expiresIn: 60 });
  const signed = new URLSearchParams(query as Record<string, string>).toString();
  const response = await fetch(`${protocol}//${host}${path}?${signed}`);
  return /<Code>(\w+)<\/Code>/.exec(await response.text())?.[1] ?? String(response.status);
}
