import { AsyncLocalStorage } from 'node:async_hooks';

/** Lets one task at a time work on a name; the others wait in order. A task may ask again for the name that it holds. */
export class KeyLock {
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #held = new AsyncLocalStorage<string>();

  async run<T>(name: string, task: () => Promise<T>): Promise<T> {
    if (this.#held.getStore() === name) return task();
    const start = () => this.#held.run(name, task);
    const turn = (this.#last.get(name) ?? Promise.resolve()).then(start, start);
    this.#last.set(name, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(name) === turn) this.#last.delete(name);
    }
  }
}
