import 'reflect-metadata';
import { type DynamicModule, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Config, ConfigError, ConfigModule } from '@countersign/config';
import { DatabaseModule, isUnavailable } from '@countersign/database';
import { OutgoingModule } from '@countersign/outgoing';
import { HELP, readOptions, UsageError } from './options.js';
import { type Done, Tally } from './outcome.js';
import { UploadReconcilerModule } from './upload-reconciler.module.js';
import { UploadReconciler } from './upload-reconciler.js';

/** What the command takes of the API. */
@Module({ imports: [DatabaseModule, OutgoingModule, UploadReconcilerModule] })
class CommandModule {
  static with(config: Config): DynamicModule {
    return { module: CommandModule, imports: [ConfigModule.with(config)] };
  }
}

/** `npm run uploads:reconcile`: all that is due now, once, and what was done about it. */
async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return print(HELP);
  // The command is the worker.
  const config = new Config({ ...process.env, RECONCILE_UPLOADS: 'false' });
  const app = await NestFactory.createApplicationContext(CommandModule.with(config), { logger: new StandardError() });
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopping.abort());
  try {
    const tally = await reconcileAll(app.get(UploadReconciler), stopping.signal, options.isVerbose);
    print(`${summaryOf(tally)}\n`);
    if (stopping.signal.aborted || 'put-off' in tally.counts) process.exitCode = 1;
  } finally {
    await app.close();
  }
}

async function reconcileAll(reconciler: UploadReconciler, signal: AbortSignal, isVerbose: boolean): Promise<Tally> {
  const tally = new Tally();
  const heard = (done: Done) => {
    tally.add(done);
    if (isVerbose) print(`${lineOf(done)}\n`);
  };
  tally.add({ outcome: 'forgotten' }, await reconciler.forgetOver());
  while (!signal.aborted) {
    if ((await reconciler.takeUp(signal, heard)) > 0) continue;
    if (reconciler.underWay === 0) break;
    // Some may only wait for one of their bucket.
    await reconciler.oneEnds();
  }
  await reconciler.allEnd();
  return tally;
}

function lineOf({ upload, outcome, why }: Done): string {
  const { id, tenantId, mode, bucket, key } = upload;
  return [outcome, id, `tenant=${tenantId}`, mode, `${bucket}/${key}`, ...(why === undefined ? [] : [`(${why})`])].join(
    ' ',
  );
}

function summaryOf(tally: Tally): string {
  if (tally.isEmpty) return 'Nothing was due.';
  const counts = Object.entries(tally.counts).map(([outcome, count]) => `${count} ${outcome}`);
  const reasons = tally.reasons.map((reason) => `\nput off: ${reason}`);
  return counts.join(', ') + reasons.join('');
}

const print = (text: string): void => void process.stdout.write(text);

/** Faults, for whoever watches; standard output is for what was done. */
class StandardError {
  log(): void {}
  debug(): void {}
  warn(message: unknown): void {
    process.stderr.write(`${textOf(message)}\n`);
  }
  error(message: unknown): void {
    process.stderr.write(`${textOf(message)}\n`);
  }
}

function textOf(message: unknown): string {
  if (typeof message !== 'object' || message === null) return String(message);
  const { msg, uploadId, err } = message as { msg?: string; uploadId?: string; err?: unknown };
  return [msg, uploadId, err instanceof Error ? err.message : ''].filter(Boolean).join(': ');
}

function explain(error: unknown): string {
  if (error instanceof UsageError) return `${error.message}\nSee --help.`;
  if (error instanceof ConfigError) return error.message;
  if (isUnavailable(error)) return 'The database does not answer.';
  return error instanceof Error ? error.message.trim() : String(error);
}

main().catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
});
