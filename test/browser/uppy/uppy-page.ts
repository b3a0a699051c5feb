import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type PageServer, serveFiles } from '../page-server.js';

export type UppyVersion = 5 | 6;

/** The same names in the document's code, whichever version is meant. */
const PACKAGES: Record<UppyVersion, string[]> = {
  5: ['--alias:@uppy/core=uppy-5-core', '--alias:@uppy/aws-s3=uppy-5-aws-s3'],
  6: [],
};

/** Only for people to see: the plugin does not know it. */
const DASHBOARD: Record<UppyVersion, string> = {
  5: '',
  6: `import Dashboard from '@uppy/dashboard';
    import '@uppy/core/css/style.min.css';
    import '@uppy/dashboard/css/style.min.css';
    uppy.use(Dashboard, { inline: true, target: '#dashboard', proudlyDisplayPoweredByUppy: false });`,
};

/** A product's site with Uppy as docs/uppy.md configures it, word for word. The page learns the address and the token from `globalThis.settings`. */
export async function serveUppy(version: UppyVersion): Promise<PageServer> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'countersign-uppy-'));
  const entry = path.join(dir, 'entry.mjs');
  writeFileSync(entry, pageOf(version));
  const args = [entry, '--bundle', '--format=esm', `--outfile=${path.join(dir, 'uppy.js')}`, '--log-level=error'];
  const env = { ...process.env, NODE_PATH: path.resolve('node_modules') };
  const command = ['node_modules/esbuild/bin/esbuild', ...args, ...PACKAGES[version]];
  const { status, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', env });
  if (status !== 0) throw new Error(stderr);
  const server = await serveFiles((pathname) =>
    pathname === '/' ? path.resolve('test/browser/uppy/page.html') : path.join(dir, path.basename(pathname)),
  );
  const stop = async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  };
  return { origin: server.origin, stop };
}

const pageOf = (version: UppyVersion): string => `
  import { retry, upload } from ${JSON.stringify(path.resolve('test/browser/uppy/drive.mjs'))};
  const { API } = globalThis.settings;
  const token = async () => globalThis.settings.token;
  ${codeOf(version)}
  ${DASHBOARD[version]}
  Object.assign(globalThis, { uppy, upload, retry });
`;

/** The first block of code below the version's heading. */
function codeOf(version: UppyVersion): string {
  const section = readFileSync('docs/uppy.md', 'utf8').split(`\n## Uppy ${version}\n`)[1] ?? '';
  const code = /^```js\n([\s\S]*?)^```/m.exec(section)?.[1];
  if (code === undefined) throw new Error(`docs/uppy.md has no code for Uppy ${version}`);
  return code;
}
