import { AsyncLocalStorage } from 'node:async_hooks';

/** What one worker does for one rotation, from taking it up until it gives it back. */
interface Run {
  course: Course;
  worker: number;
  step: string;
  /** Where it stopped, in the middle of a call: for good, unless it is woken. */
  stopped: Turn;
  woken: Turn;
  ended: Turn;
}

const current = new AsyncLocalStorage<Run>();

/**
 * The calls of one rotation by which its workers have an effect, in order, and where they stop: before a call, which is after the one before
 * it had its effect and before its answer is used.
 */
export class Course {
  /** Every call that began: its worker (from 0), the step, what is called, and which of its kind in the step. */
  readonly calls: string[] = [];
  readonly #counts = new Map<string, number>();
  readonly #stopped: Run[] = [];

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

  /** Of whoever asks; null where nobody works on a rotation. */
  static ofCaller(): Course | null {
    return current.getStore()?.course ?? null;
  }

  /** Whether whoever asks had stopped, and goes on although another has taken its place. */
  static isCallerLate(): boolean {
    const run = current.getStore();
    return run !== undefined && run.worker < run.course.worker;
  }

  /** How many workers have stopped; so, which one is next. */
  get worker(): number {
    return this.#stopped.length;
  }

  callsOf(worker: number): string[] {
    return this.calls.filter((call) => call.startsWith(`${worker} `));
  }

  /** Does the work of one worker, until its end or until it stops. */
  async run(work: () => Promise<void>): Promise<void> {
    const run = {
      course: this,
      worker: this.worker,
      step: '',
      stopped: new Turn(),
      woken: new Turn(),
      ended: new Turn(),
    };
    void current.run(run, work).finally(() => run.ended.come());
    await Promise.race([run.ended.awaited, run.stopped.awaited]);
  }

  /** A call of a worker's, before which it may stop. Without a step it belongs to that of the call before. */
  async pass<T>(step: string | null, name: string, act: () => Promise<T>): Promise<T> {
    const run = current.getStore();
    if (!run) throw new Error('only a worker passes here');
    run.step = step ?? run.step;
    const kind = `${run.worker} ${run.step} ${name}`;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const call = `${kind} ${count}`;
    this.calls.push(call);
    if (this.#isWaking(run)) await this.wakeAll();
    if (run.worker === this.worker && this.stopsBefore[run.worker] === call) await this.#stop(run);
    return act();
  }

  /** Those that had stopped go on, one after the other, until they give up. */
  async wakeAll(): Promise<void> {
    for (const { woken, ended } of this.#stopped) {
      woken.come();
      await ended.awaited;
    }
  }

  #isWaking({ worker }: Run): boolean {
    if (this.wakesAt === null || worker < this.stopsBefore.length) return false;
    return this.callsOf(worker).length === this.wakesAt;
  }

  async #stop(run: Run): Promise<void> {
    this.#stopped.push(run);
    await this.onStop();
    run.stopped.come();
    await run.woken.awaited;
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
