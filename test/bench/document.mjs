// docs/benchmarks.md and docs/proofs.md: what was measured stands between markers, each program's between its own; everything else is
// written by hand and left as it is.
import { readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { format, resolveConfig } from 'prettier';

/** Puts these paragraphs where `name`'s markers are. */
export async function writeDocument(name, paragraphs, file = 'docs/benchmarks.md') {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`${file} has lost its markers: ${begin} … ${end}`);
  const replaced = `${text.slice(0, from)}${begin}\n\n${paragraphs.join('\n\n')}\n\n${text.slice(to)}`;
  writeFileSync(file, await format(replaced, { ...(await resolveConfig(file)), parser: 'markdown' }));
}

/** Where and by what it was measured. */
export function circumstances(postgresVersion) {
  const packages = JSON.parse(readFileSync('package.json', 'utf8'));
  const versions = ['@nestjs/core', 'fastify', '@prisma/client', 'pg', '@aws-sdk/client-s3', 'express', 'autocannon'];
  const pinned = versions.map((name) => `${name} ${packages.dependencies[name] ?? packages.devDependencies[name]}`);
  return `${machine()}, PostgreSQL ${postgresVersion}, ${pinned.join(', ')}.`;
}

/** The day, the hardware and the Node.js. */
export function machine() {
  const [cpu] = os.cpus();
  const hardware = `${os.cpus().length} × ${cpu?.model ?? os.arch()}, ${Math.round(os.totalmem() / 2 ** 30)} GB`;
  return `${new Date().toISOString().slice(0, 10)}, ${hardware}, ${os.type()} ${os.arch()}. Node.js ${process.versions.node}`;
}
