import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

const autogroup = '/proc/self/autogroup';

/**
 * Gives this process a nice value (-20 most, 19 least). Throws an Error with an errno `code` where that is not permitted.
 *
 * Linux with autogroups shares the CPU out between sessions first and looks at nice values only inside one (sched(7)), so a process that leads a session of
 * its own sets that session's too. In somebody else's session it does not: that would raise whatever else runs there.
 */
export function prioritize(nice: number): void {
  setPriority(nice);
  if (existsSync(autogroup) && leadsSession(readFileSync('/proc/self/stat', 'utf8'), process.pid)) writeFileSync(autogroup, String(nice));
}

/** Whether the process of this `/proc/PID/stat` (proc(5)) is the leader of its session. Its second field, the name, may have blanks and parentheses in it. */
export function leadsSession(stat: string, pid: number): boolean {
  const [, , , session] = stat
    .slice(stat.lastIndexOf(')') + 1)
    .trim()
    .split(' ');
  return Number(session) === pid;
}
