// dist/ from nothing, so that a package never holds what is no longer in src/.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
rmSync(new URL('dist', import.meta.url), { recursive: true, force: true });
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
process.exit(spawnSync(process.execPath, [tsc, '-p', here], { stdio: 'inherit' }).status ?? 1);
