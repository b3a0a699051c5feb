// What was started is ended, in reverse order: at the end, after a fault, and on Ctrl-C.

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

export class Cleanup {
  #steps = [];
  #done;
  isInterrupted = false;

  constructor() {
    for (const [signal, code] of Object.entries(SIGNALS))
      process.on(signal, () => {
        if (!this.isInterrupted) say('stopping …');
        this.isInterrupted = true;
        void this.run().finally(() => process.exit(code));
      });
  }

  add(step) {
    this.#steps.push(step);
  }

  /** Starts what takes a while; where it is interrupted meanwhile, it is ended as soon as it stands. */
  start(begin, end) {
    const started = begin();
    this.add(async () => end(await started));
    return started;
  }

  run() {
    this.#done ??= this.#run();
    return this.#done;
  }

  async #run() {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop())
      await Promise.resolve()
        .then(step)
        .catch((error) => say(`clean-up: ${error instanceof Error ? error.message : String(error)}`));
  }
}

export function say(line) {
  process.stderr.write(`${line}\n`);
}
