// How many URLs a second one core signs, with the signing keys of 1,000 tenants in turn: ours, and beside it what the SDK offers.
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl, S3RequestPresigner } from '@aws-sdk/s3-request-presigner';
import { HttpRequest } from '@smithy/protocol-http';
import { Receipt } from '../../../dist/libs/ledger/src/receipt.js';
import { downloadTerms, objectAddress, uploadTerms, UrlSigner } from '../../../dist/libs/signing/src/index.js';
import { median } from '../statistics.mjs';
import { countDifferences } from './differences.mjs';
import { clientOf, credentialOf, DOWNLOAD, issuanceOf, keyOf, location, UPLOAD } from './material.mjs';

const TENANTS = 1_000;

async function main(isQuick) {
  const [rounds, milliseconds] = isQuick ? [3, 150] : [7, 500];
  const signers = {
    'ours, downloads': ours(downloadTerms, DOWNLOAD),
    'ours, uploads': ours(uploadTerms, UPLOAD),
    S3RequestPresigner: presigner(),
    getSignedUrl: sdk(),
  };
  const rates = Object.fromEntries(Object.keys(signers).map((name) => [name, []]));
  for (const sign of Object.values(signers)) await rateOf(sign, milliseconds);
  for (let round = 0; round < rounds; round++)
    for (const [name, sign] of Object.entries(signers)) rates[name].push(await rateOf(sign, milliseconds));
  const medians = Object.fromEntries(Object.entries(rates).map(([name, values]) => [name, median(values)]));
  return { rates: medians, ...(await countDifferences()) };
}

/** Every request has a receipt of its own and a credential that was just unsealed, as in the service: nothing can be kept by object. */
function ours(terms, content) {
  const signer = new UrlSigner();
  const receipts = Array.from({ length: 20 * TENANTS }, (_, n) => {
    const issuance = issuanceOf(keyOf(n), credentialOf(n % TENANTS));
    return new Receipt(`${n}`, terms(issuance, content));
  });
  const credentials = Array.from({ length: TENANTS }, (_, tenant) => credentialOf(tenant));
  return (n) => signer.sign(receipts[n % receipts.length], { ...credentials[n % TENANTS] });
}

function presigner() {
  const { sha256 } = new S3Client({ region: location.region }).config;
  const presigners = Array.from({ length: TENANTS }, (_, tenant) => {
    return new S3RequestPresigner({ region: location.region, credentials: credentialOf(tenant), sha256 });
  });
  const hostname = new URL(objectAddress(location, 'a')).hostname;
  return (n) => {
    const request = { protocol: 'https:', hostname, method: 'GET', path: `/${keyOf(n)}`, headers: { host: hostname } };
    return presigners[n % TENANTS].presign(new HttpRequest(request), { expiresIn: 900 });
  };
}

function sdk() {
  const clients = Array.from({ length: TENANTS }, (_, tenant) => clientOf(location, credentialOf(tenant)));
  return (n) => {
    const command = new GetObjectCommand({ Bucket: location.bucket, Key: keyOf(n) });
    return getSignedUrl(clients[n % TENANTS], command, { expiresIn: 900 });
  };
}

/** CPU time, not time of day: a second of one core, whatever else runs on it. */
async function rateOf(sign, milliseconds) {
  const end = performance.now() + milliseconds;
  const started = process.cpuUsage();
  let n = 0;
  while (performance.now() < end)
    for (let i = 0; i < 20; i++) {
      const url = sign(n++);
      if (url instanceof Promise) await url;
    }
  const { user, system } = process.cpuUsage(started);
  return n / ((user + system) / 1e6);
}

process.on('disconnect', () => process.exit());
process.send(await main(process.argv[2] === 'quick'));
