import { Cleanup, say } from './cleanup.mjs';

/** Runs a program to its end: what it started is ended, whatever happens. Exit code 1 for a fault. */
export function runProgram(main) {
  const cleanup = new Cleanup();
  main(cleanup)
    .catch((error) => {
      // What is torn down while it works complains of that.
      if (!cleanup.isInterrupted) say(String(error?.stack ?? error));
      process.exitCode = 1;
    })
    .finally(() => cleanup.run())
    .finally(() => cleanup.isInterrupted || process.exit());
}
