import { deadline, until } from '../../src/lib/until.ts';
import type { Rig } from './faults-rig.ts';
import { docker } from './service.ts';

/** No saboteur goes on for longer, whatever becomes of its test. */
export const boundedS = 60;

const everyInterface = (command: string) => `for d in eth0 eth1; do tc qdisc ${command.replace('DEV', '$d')}; done`;

/** Shell commands that undo faults at cell0, and the rights that a container needs to run them there. */
export const undoing = {
  /** Everything, the engine's own rules too. */
  ruleset: (rig: Rig) => [
    `nft flush ruleset; iptables -t mangle -F; ip6tables -t mangle -F; ${everyInterface('del dev DEV root')}`,
    ...inNetwork(rig),
  ],
  rules: (rig: Rig) => [
    `for t in $(nft list tables netdev | cut -d' ' -f3); do nft delete table netdev $t; done; iptables -t mangle -F; ip6tables -t mangle -F; ${everyInterface('del dev DEV root')}`,
    ...inNetwork(rig),
  ],
  qdisc: (rig: Rig) => [everyInterface('del dev DEV root'), ...inNetwork(rig)],
  emptyQdisc: (rig: Rig) => [everyInterface('change dev DEV root handle 5bd0: tbf rate 10gbit burst 10mb latency 50ms'), ...inNetwork(rig)],
  quota: (rig: Rig) => {
    const lift = 'case $f in *cpu.max) echo max > $f;; *) echo -1 > $f;; esac';
    const find = `f=\${f:-$(find /sys/fs/cgroup -path '*${rig.id('cell0')}*' \\( -name cpu.cfs_quota_us -o -name cpu.max \\) | head -1)}`;
    return [`${find}; ${lift}`, '--security-opt=apparmor=unconfined', '--cgroupns=host', '-v', '/sys/fs/cgroup:/sys/fs/cgroup'];
  },
  ballast: (rig: Rig) => {
    const ours = `grep -laP '^subjectd-toolbox\\x00ballast\\x00[^\\x00]*\\x00${rig.id('cell0')}' /proc/[0-9]*/cmdline`;
    return [`for p in $(${ours}); do p=\${p#/proc/}; kill -9 \${p%/cmdline}; done`, '--pid=host', '--cap-add', 'KILL'];
  },
  file: (rig: Rig) => {
    const format = '{{range .Mounts}}{{if eq .Destination "/data"}}{{.Name}}{{end}}{{end}}';
    const data = docker('inspect', '--format', format, rig.container('cell0'));
    return ['rm -f /data/.subjectd-*', '-v', `${data}:/data`];
  },
} satisfies Record<string, (rig: Rig) => string[]>;

function inNetwork(rig: Rig): string[] {
  return [`--net=container:${rig.container('cell0')}`, '--cap-add', 'NET_ADMIN'];
}

/** Undoes once; answers when it is done. What is not there to be undone is no failure. */
export function undoOnce([script = '', ...rights]: string[]): void {
  docker('run', '--rm', ...rights, '--entrypoint', 'sh', 'subjectd/toolbox:1', '-c', `{ ${script}; } 2>/dev/null; true`);
}

/** Undoes in a tight loop, until it is told to stop. */
export interface Saboteur {
  stop(): Promise<void>;
}

/** A shell loop in a container that may do what the toolbox may, beside cell0. */
export async function undoAgainAndAgain(rig: Rig, [script = '', ...rights]: string[]): Promise<Saboteur> {
  const name = `${rig.project}-saboteur`;
  const loop = `echo begun; while :; do ${script}; done 2>/dev/null`;
  const entry = ['--entrypoint', 'timeout', 'subjectd/toolbox:1', String(boundedS), 'sh', '-c', loop];
  docker('run', '-d', '--rm', '--name', name, ...rights, ...entry);
  using limited = deadline('saboteur', 20_000);
  await until(async () => docker('logs', name).includes('begun') || undefined, 20, limited);
  return { stop: async () => void docker('rm', '-f', name) };
}
