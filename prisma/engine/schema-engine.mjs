#!/usr/bin/env node
// A stand-in for Prisma's native schema engine, for places where that binary cannot be downloaded: the same command line and
// the same JSON-RPC on stdio, answered by the engine's WASM build. With it the stock CLI works: `migrate dev`, `deploy`,
// `status`, `diff`, `reset`, `resolve`, `db pull`. prisma.config.ts chooses it only where the native engine is missing.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { runDatabaseCommand } from './database-commands.mjs';
import { createDatabase } from './postgres.mjs';
import { openEngine, panicMessage } from './wasm-engine.mjs';

const args = process.argv.slice(2);
const valuesOf = (option) => args.flatMap((arg, i) => (arg === option ? [args[i + 1]] : []));

const { url } = JSON.parse(valuesOf('--datasource')[0] ?? '{}');
const command = args.includes('cli') ? args[args.indexOf('cli') + 1] : undefined;
if (command !== undefined) await runDatabaseCommand(command, url);
else serve();

/** Answers the CLI's requests one after the other, as the native engine does, until stdin ends. */
function serve() {
  let engine;
  const datamodels = valuesOf('--datamodels').map((file) => [file, readFileSync(file, 'utf8')]);
  const run = async (method, params) => (await (engine ??= openEngine(url, datamodels)))[method](params);

  // These two read the migrations' schema from the engine's cache, since they cannot open a shadow database themselves. Right
  // after `applyMigrations` the cache is cold; the diagnosis fills it.
  const runWithCache = async (method, params) => {
    const { migrationsList, filters } = params;
    await run('diagnoseMigrationHistory', { migrationsList, filters, optInToShadowDatabase: true });
    return run(method, params);
  };

  // Where the native engine's methods are more than the WASM engine's of the same name.
  const methods = {
    createDatabase: () => createDatabase(url),
    getDatabaseVersion: () => run('version'),
    evaluateDataLoss: (params) => runWithCache('evaluateDataLoss', params),
    createMigration: (params) => runWithCache('createMigration', params),
    async diff(params) {
      const noFilters = { externalTables: [], externalEnums: [] };
      const { exitCode, stdout } = await run('diff', { ...params, filters: params.filters ?? noFilters });
      // The CLI prints only what the engine asks it to print; it acknowledges with a message that has no method.
      if (stdout) send({ id: 1, method: 'print', params: { content: stdout } });
      return { exitCode, stdout: null };
    },
  };

  let pendingId;
  const answer = async ({ id, method, params }) => {
    pendingId = id;
    try {
      const result = await (methods[method]?.(params) ?? run(method, params));
      send({ id, result: result ?? {} });
    } catch (error) {
      sendError(id, error);
      // A WASM module that panicked is in no state to answer again.
      if (panicMessage()) process.exit(1);
    }
    pendingId = undefined;
  };

  const stop = (error) => {
    if (pendingId !== undefined) sendError(pendingId, error);
    process.exit(1);
  };
  process.on('uncaughtException', stop);
  process.on('unhandledRejection', stop);
  // The CLI takes exit code 0 without an answer for success: a check that crashed would pass.
  process.on('exit', () => {
    if (pendingId !== undefined) process.exitCode = 1;
  });

  let queue = Promise.resolve();
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      const request = JSON.parse(line);
      if (request.method) queue = queue.then(() => answer(request));
    })
    .on('close', () => {
      void queue.finally(() => process.exit());
    });
}

function send(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
}

function sendError(id, error) {
  const message = panicMessage() || error?.message || String(error);
  const data = { is_panic: false, message, error_code: error?.code ?? null, meta: error?.meta ?? null };
  send({ id, error: { code: 4466, message, data } });
}
