/**
 * Stops what was started, in reverse order, once: on SIGINT, SIGTERM or SIGHUP, or because something failed. What is just being started is
 * waited for and then stopped too, so that nothing is left behind.
 */
export class Shutdown {
  readonly #steps: { name: string; stop: () => Promise<void> }[] = [];
  #starting: Promise<unknown> = Promise.resolve();
  #isStopping = false;

  /** @param say hears what is being stopped. */
  constructor(private readonly say: (line: string) => void) {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void this.#run(0));
  }

  /** Hears, before anything is stopped, that it will be. */
  onBegin: () => void = () => undefined;

  /** What `start` gives, with `stop` to be called for it at the end; once stopping has begun, nothing follows. */
  async start<T>(name: string, start: () => Promise<T>, stop: (started: T) => Promise<void> | void): Promise<T> {
    const starting = start().then((started) => {
      this.#steps.push({ name, stop: async () => stop(started) });
      return started;
    });
    this.#starting = starting;
    const started = await starting;
    return this.#isStopping ? new Promise<never>(() => undefined) : started;
  }

  /** Something failed, or ended that should not have. */
  because(reason: string): void {
    if (this.#isStopping) return;
    process.stderr.write(`\n  ${reason}\n`);
    void this.#run(1);
  }

  async #run(exitCode: number): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.onBegin();
    await this.#starting.catch(() => undefined);
    for (const { name, stop } of this.#steps.toReversed()) {
      this.say(`stopping ${name} …`);
      await stop().catch((error: unknown) => {
        exitCode = 1;
        process.stderr.write(`  ${name}: ${String(error)}\n`);
      });
    }
    process.exit(exitCode);
  }
}
