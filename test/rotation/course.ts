/** Whoever works on a rotation, from taking it up until giving it back. */
export class Worker {
  /** It is in the middle of a call: for good, unless it is woken. */
  readonly stopped = new Turn();
  readonly woken = new Turn();
  readonly ended = new Turn();
  /** Of its last call. */
  step = '';

  constructor(
    private readonly course: Course,
    /** From 0; whoever takes over from one that stopped has the next number. */
    readonly number: number,
  ) {}

  /** Whether it had stopped, and goes on although another has taken its place. */
  get isLate(): boolean {
    return this.number < this.course.workers;
  }

  /** A call of its, before which it may stop. Without a step it belongs to that of the call before. */
  pass<T>(step: string | null, name: string, act: () => Promise<T>): Promise<T> {
    this.step = step ?? this.step;
    return this.course.pass(this, name, act);
  }
}

/**
 * The calls of one rotation by which its workers have an effect, in order, and where they stop: before a call, which is after the one before
 * it had its effect and before its answer is used.
 */
export class Course {
  /** Every call that began: its worker (from 0), the step, what is called, and which of its kind in the step. */
  readonly calls: string[] = [];
  readonly #counts = new Map<string, number>();
  readonly #stopped: Worker[] = [];

  /**
   * @param stopsBefore the call before which its first worker stops, the next one, and so on.
   * @param wakesAt the call of the last worker, from 1, before which those that had stopped wake up, and go on until they give up.
   * @param onStop makes their lease run out.
   */
  constructor(
    private readonly stopsBefore: readonly string[],
    private readonly wakesAt: number | null,
    private readonly onStop: () => Promise<void>,
  ) {}

  /** How many workers have stopped; so, which one is next. */
  get workers(): number {
    return this.#stopped.length;
  }

  callsOf(worker: number): string[] {
    return this.calls.filter((call) => call.startsWith(`${worker} `));
  }

  /** Does the work of one worker, until its end or until it stops. */
  async run(work: (worker: Worker) => Promise<void>): Promise<void> {
    const worker = new Worker(this, this.workers);
    void work(worker).finally(() => worker.ended.come());
    await Promise.race([worker.ended.awaited, worker.stopped.awaited]);
  }

  async pass<T>(worker: Worker, name: string, act: () => Promise<T>): Promise<T> {
    const kind = `${worker.number} ${worker.step} ${name}`;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const call = `${kind} ${count}`;
    this.calls.push(call);
    if (this.#isWaking(worker)) await this.wakeAll();
    if (!worker.isLate && this.stopsBefore[worker.number] === call) await this.#stop(worker);
    return act();
  }

  /** Those that had stopped go on, one after the other, until they give up. */
  async wakeAll(): Promise<void> {
    for (const { woken, ended } of this.#stopped) {
      woken.come();
      await ended.awaited;
    }
  }

  #isWaking({ number }: Worker): boolean {
    if (this.wakesAt === null || number < this.stopsBefore.length) return false;
    return this.callsOf(number).length === this.wakesAt;
  }

  async #stop(worker: Worker): Promise<void> {
    this.#stopped.push(worker);
    await this.onStop();
    worker.stopped.come();
    await worker.woken.awaited;
  }
}

/** A moment that comes once, and may be awaited before and after. */
class Turn {
  come: () => void = () => undefined;
  readonly awaited = new Promise<void>((resolve) => (this.come = resolve));
}

/** The same object; `observe` stands between its callers and its methods of these names. */
export function observed<T extends object>(
  target: T,
  names: readonly (keyof T & string)[],
  observe: (name: string, args: unknown[], act: () => Promise<unknown>) => Promise<unknown>,
): T {
  return new Proxy(target, {
    get(_, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const act = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
      if (!(names as readonly (string | symbol)[]).includes(name)) return act;
      return (...args: unknown[]) => observe(String(name), args, async () => act(...args));
    },
  });
}
