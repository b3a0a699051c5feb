import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Command, Report, StoreConfig } from './messages.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
const HEALTHY_AFTER_MS = 10_000;
const DRAIN_MS = 10_000;

/** Keeps one store process running, always on the same port, until it is told to stop. */
export class StoreSupervisor {
  #child: ChildProcess | undefined;
  #stopping: Promise<void> | undefined;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(
    private readonly config: StoreConfig,
    private readonly log: (line: string) => void,
  ) {}

  get processId(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves once the store answers; what prevents that is the caller's to know. */
  async start(): Promise<void> {
    const child = startProcess();
    this.#child = child;
    child.on('message', (report: Report) => report.type === 'log' && this.log(report.line));
    child.on('error', (error) => this.log(`store process: ${error.message}`));
    send(child, { type: 'start', config: this.config });

    const answer = await answerTo(child, (report) => report.type === 'ready' || report.type === 'failed');
    if (answer?.type !== 'ready') {
      const reason = answer?.type === 'failed' ? answer.reason : 'its process ended; its last words are above';
      throw new Error(`The S3 store did not start on port ${this.config.port} with ${this.config.dir}: ${reason}`);
    }
    const readyAt = Date.now();
    child.once('exit', () => {
      if (Date.now() - readyAt > HEALTHY_AFTER_MS) this.#pauseMs = FIRST_PAUSE_MS;
      void this.#startAgain();
    });
  }

  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop());
  }

  async #startAgain(): Promise<void> {
    while (await this.#isWantedAfterPause()) {
      try {
        return await this.start();
      } catch (error) {
        this.log(String(error));
      }
    }
  }

  async #isWantedAfterPause(): Promise<boolean> {
    if (!this.#isWanted()) return false;
    this.log(`store process ended: starting it again in ${this.#pauseMs} ms`);
    await sleep(this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    return this.#isWanted();
  }

  #isWanted(): boolean {
    return this.#stopping === undefined;
  }

  async #stop(): Promise<void> {
    const child = this.#child;
    if (!child || hasEnded(child)) return;
    const ended = answerTo(child, () => false);
    const kill = setTimeout(() => child.kill('SIGKILL'), DRAIN_MS);
    send(child, { type: 'stop' });
    await ended;
    clearTimeout(kill);
  }
}

/** A process group of its own: Ctrl-C must not end the store before the API has drained. */
function startProcess(): ChildProcess {
  const { PATH, SystemRoot } = process.env;
  return fork(processFile(), [], {
    execArgv: [],
    env: { PATH, ...(SystemRoot && { SystemRoot }) },
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

/** Under Jest this file is TypeScript, which Node cannot fork: then the build's is taken. */
function processFile(): string {
  const isSource = import.meta.url.endsWith('.ts');
  const file = isSource ? '../../../../dist/libs/embedded/src/store/store-process.js' : './store-process.js';
  const path = fileURLToPath(new URL(file, import.meta.url));
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`npm run build\` first.`);
  return path;
}

/** The next report of that kind, or nothing if the process ends before it. */
function answerTo(child: ChildProcess, isAnswer: (report: Report) => boolean): Promise<Report | undefined> {
  return new Promise((resolve) => {
    const settle = (report?: Report) => {
      child.off('message', hear);
      child.off('exit', end);
      resolve(report);
    };
    const hear = (report: Report) => isAnswer(report) && settle(report);
    const end = () => settle();
    child.on('message', hear);
    child.on('exit', end);
    if (hasEnded(child)) settle();
  });
}

/** A process that is gone cannot be told anything, and needs not be. */
function send(child: ChildProcess, command: Command): void {
  if (child.connected) child.send(command, () => undefined);
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
