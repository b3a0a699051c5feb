// What processes have cost so far, by the operating system's own account.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Linux's USER_HZ: what /proc counts in, whatever the kernel ticks at (proc(5)). */
const TICKS_PER_SECOND = 100;

/**
 * CPU seconds of a process, of all its threads, of its living descendants, and of those that have ended: a PostgreSQL's postmaster stands
 * for all its processes.
 */
export function cpuSecondsOf(pid) {
  const processes = list();
  const family = new Set([pid]);
  for (let size = 0; size !== family.size;) {
    size = family.size;
    for (const process of processes) if (family.has(process.parent)) family.add(process.pid);
  }
  return processes.filter((process) => family.has(process.pid)).reduce((sum, process) => sum + process.seconds, 0);
}

/** Resident memory in bytes. */
export function residentBytesOf(pid) {
  if (!existsSync('/proc/self/status'))
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', pid], { encoding: 'utf8' })) * 1024;
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
}

function list() {
  return existsSync('/proc/self/stat') ? fromProc() : fromPs();
}

function fromProc() {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8');
      // The name in brackets may hold anything; behind it stand state, ppid, …, utime, stime, cutime, cstime (proc(5)).
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      return [{ pid: Number(name), parent: Number(fields[1]), seconds: ticks / TICKS_PER_SECOND }];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}

/** Elsewhere; what has ended is not counted there. */
function fromPs() {
  const lines = execFileSync('ps', ['-axo', 'pid=,ppid=,time='], { encoding: 'utf8' }).trim().split('\n');
  return lines.map((line) => {
    const [pid, parent, time] = line.trim().split(/\s+/);
    const seconds = time.split(/[:-]/).reduce((sum, part) => sum * 60 + Number(part), 0);
    return { pid: Number(pid), parent: Number(parent), seconds };
  });
}
