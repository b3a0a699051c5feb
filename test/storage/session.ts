import { Sha256 } from '@smithy/core/checksum';
// The SDK's client for this service is no dependency of ours.
import { SignatureV4 } from '@smithy/signature-v4';

export interface Session {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiresAt: string;
}

/** A session of the run's role (AWS STS API Reference, "AssumeRole"). */
export async function assumeRole(seconds: number): Promise<Session> {
  const env = process.env;
  const endpoint = new URL(env['STORAGE_STS_ENDPOINT'] ?? '');
  const parameters = {
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: env['STORAGE_ROLE_ARN'] ?? '',
    RoleSessionName: 'countersign-test',
    DurationSeconds: String(seconds),
  };
  const body = new URLSearchParams(parameters).toString();
  const signer = new SignatureV4({
    service: 'sts',
    region: env['STORAGE_REGION'] ?? '',
    credentials: {
      accessKeyId: env['STORAGE_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: env['STORAGE_SECRET_ACCESS_KEY'] ?? '',
    },
    sha256: Sha256,
  });
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: endpoint.protocol,
    hostname: endpoint.hostname,
    path: '/',
    query: {},
    headers: { host: endpoint.host, 'content-type': 'application/x-www-form-urlencoded' },
    body,
  });
  const response = await fetch(endpoint, { method: 'POST', headers, body });
  const answer = await response.text();
  if (!response.ok) throw new Error(`AssumeRole was refused: ${response.status} ${answer}`);
  const read = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(answer)?.[1] ?? '';
  return {
    accessKeyId: read('AccessKeyId'),
    secretAccessKey: read('SecretAccessKey'),
    sessionToken: read('SessionToken'),
    expiresAt: read('Expiration'),
  };
}
