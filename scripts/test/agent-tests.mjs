import { runGroup } from './group.mjs';

const IMAGE = 'subjectd/toolbox-test:1';
/** What the toolbox itself gets, as docker/toolbox/README.md has it: the agent must not need more. */
const CAPABILITIES = 'SYS_ADMIN NET_ADMIN NET_RAW SYS_PTRACE IPC_LOCK KILL DAC_OVERRIDE FOWNER MKNOD SYS_NICE'.split(' ');
const RIGHTS = [
  ...['--pid=host', '--cgroupns=host', '--network=none', '--cap-drop=ALL', ...CAPABILITIES.map((name) => `--cap-add=${name}`)],
  ...['--security-opt=apparmor=unconfined', '--security-opt=seccomp=unconfined'],
  ...['--device-cgroup-rule=b 7:* rwm', '--device-cgroup-rule=c 10:237 rwm'],
  ...['--volume=/sys/fs/cgroup:/sys/fs/cgroup', '--volume=/dev:/host/dev', '--tmpfs=/run'],
  '--volume=/var/run/docker.sock:/var/run/docker.sock',
];

/**
 * Runs the toolbox agent's own tests, vetted first, in a container: nothing of Go is needed here. It has the agent's own rights, so that the tests that
 * need the kernel run as far as this kernel goes; what it cannot do is named as not run.
 */
export async function runAgentTests(docker, tally, { env, timeoutMs, signal }) {
  const events = [];
  const args = ['run', '--rm', '--init', ...RIGHTS, '--name', `subjectd-agent-test-${process.pid}`, IMAGE];
  const { code, timedOut } = await runGroup(docker, args, { env, timeoutMs, signal, onLine: (line) => take(line, events) });
  tally.goTest('agent', events, code ?? 1);
  if (timedOut) tally.check('agent', false, 'did not end in time');
}

/** Events are JSON lines; all else is for people, as are the packages' verdicts and what failing tests say. */
function take(line, events) {
  if (!line.startsWith('{')) return console.log(`  ${line}`);
  const event = JSON.parse(line);
  events.push(event);
  if (event.Action === 'output' && (!event.Test || /^\s+\w+\.go:\d+: |^panic|^--- FAIL/.test(event.Output)))
    process.stdout.write(`  ${event.Output}`);
}
