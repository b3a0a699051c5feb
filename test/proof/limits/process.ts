import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Memory and file descriptors of a process, where the system tells (Linux). */
export function figuresOf(pid: number): { rssBytes: number; descriptors: number } | null {
  if (!existsSync(`/proc/${pid}/status`)) return null;
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return { rssBytes: Number(kilobytes) * 1024, descriptors: readdirSync(`/proc/${pid}/fd`).length };
}

/** The largest figures of a process while something goes on. */
export async function highestWhile<Value>(pid: number, work: Promise<Value>) {
  const highest = { rssBytes: 0, descriptors: 0 };
  const look = () => {
    const now = figuresOf(pid);
    highest.rssBytes = Math.max(highest.rssBytes, now?.rssBytes ?? 0);
    highest.descriptors = Math.max(highest.descriptors, now?.descriptors ?? 0);
  };
  look();
  const timer = setInterval(look, 50);
  try {
    return { value: await work, highest };
  } finally {
    clearInterval(timer);
    look();
  }
}
