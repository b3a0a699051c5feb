// `npm run sbom`: the bill of materials of a production installation, as CycloneDX 1.5 on stdout. npm's own `--omit dev` leaves out what both
// production and development need, @smithy/core for one; so it names everything, and the lock file says what is for development alone.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const inProduction = new Set(
  Object.entries(packages)
    .filter(([place, { dev }]) => place !== '' && !dev)
    .map(
      ([place, { version }]) =>
        `${place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${version}`,
    ),
);

const npm = ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx'];
const bill = JSON.parse(execFileSync('npm', npm, { encoding: 'utf8', maxBuffer: 64 * 1024 ** 2 }));
const root = bill.metadata.component['bom-ref'];
const isNamed = (reference) => reference === root || inProduction.has(reference);

const components = bill.components.filter((component) => isNamed(component['bom-ref']));
const dependencies = bill.dependencies
  .filter(({ ref }) => isNamed(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter(isNamed) }));
process.stdout.write(`${JSON.stringify({ ...bill, components, dependencies }, null, 2)}\n`);
