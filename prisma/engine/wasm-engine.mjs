import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg';
import { MigrationAdapterFactory } from './postgres.mjs';

// The module reports a panic here, and to its caller only that it reached something "unreachable".
const panic = { message: '', set_message: (message) => (panic.message = message) };
globalThis.PRISMA_WASM_PANIC_REGISTRY = panic;

/** What the WASM engine said when it panicked; empty while it is well. */
export function panicMessage() {
  return panic.message;
}

/** The WASM schema engine on a PostgreSQL database. `datamodels` are pairs of path and content, and may be none. */
export function openEngine(url, datamodels) {
  instantiate();
  const options = { datamodels: datamodels.length > 0 ? datamodels : undefined };
  const ignoreLog = () => {};
  return bindings.SchemaEngine.new(
    options,
    ignoreLog,
    bindMigrationAwareSqlAdapterFactory(new MigrationAdapterFactory(url)),
  );
}

// By hand, because the package's own entry imports the .wasm file as a module, which Node does only behind a flag.
function instantiate() {
  const bindingsFile = fileURLToPath(import.meta.resolve('@prisma/schema-engine-wasm/schema_engine_bg'));
  const module = new WebAssembly.Module(readFileSync(bindingsFile.replace(/\.js$/, '.wasm')));
  const { exports } = new WebAssembly.Instance(module, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(exports);
  exports.__wbindgen_start();
}
