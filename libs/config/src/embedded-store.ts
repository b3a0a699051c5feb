/** Who may make and take away access keys at the development store. */
export interface EmbeddedStoreAdmin {
  /** The store's address: scheme, host and port. */
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
}

const ENDPOINT = 'EMBEDDED_STORE_ENDPOINT';
const ACCESS_KEY_ID = 'EMBEDDED_STORE_ADMIN_ACCESS_KEY_ID';
const SECRET_ACCESS_KEY = 'EMBEDDED_STORE_ADMIN_SECRET_ACCESS_KEY';

/** The three variables of the development store: all of them or none, and none in production. */
export function readEmbeddedStore(
  env: NodeJS.ProcessEnv,
  isProduction: boolean,
): { value: EmbeddedStoreAdmin | null; faults: string[] } {
  const names = [ENDPOINT, ACCESS_KEY_ID, SECRET_ACCESS_KEY];
  const given = names.filter((name) => env[name]);
  if (given.length === 0) return { value: null, faults: [] };
  if (isProduction)
    return { value: null, faults: given.map((name) => `${name} must not be set in production: the store is embedded`) };

  const [endpoint = '', accessKeyId = '', secretAccessKey = ''] = names.map((name) => env[name]);
  const faults = names
    .filter((name) => !env[name])
    .map((name) => `${name} is missing: it goes with ${given.join(' and ')}`);
  if (endpoint && !isOrigin(endpoint)) faults.push(`${ENDPOINT} must be an address such as http://127.0.0.1:9000`);
  return { value: { endpoint, accessKeyId, secretAccessKey }, faults };
}

const isOrigin = (text: string): boolean =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;
