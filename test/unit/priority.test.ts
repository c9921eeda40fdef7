import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { leadsSession } from '../../src/priority.ts';

const autogroups = existsSync('/proc/self/autogroup') && readFileSync('/proc/sys/kernel/sched_autogroup_enabled', 'utf8').trim() === '1';
const code = `
  const { prioritize } = await import(${JSON.stringify(new URL('../../src/priority.ts', import.meta.url).href)});
  const { getPriority } = await import('node:os');
  const { existsSync, readFileSync } = await import('node:fs');
  prioritize(5);
  const group = existsSync('/proc/self/autogroup') ? readFileSync('/proc/self/autogroup', 'utf8').trim() : '';
  console.log(JSON.stringify({ nice: getPriority(), group }));
`;

async function inProcess(detached: boolean): Promise<{ nice: number; group: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    detached,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said, [status]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  assert.equal(status, 0);
  return JSON.parse(said) as { nice: number; group: string };
}

describe('the priority of the process', () => {
  it('leads a session when its id is the session’s, whatever its name is', () => {
    assert.equal(leadsSession('77 (node) S 1 77 77 0 -1 4194560', 77), true);
    assert.equal(leadsSession('77 (node) S 1 77 12 0 -1 4194560', 77), false);
    assert.equal(leadsSession('77 (a) 1 2 77) S 1 77 12 0 -1', 77), false);
  });

  it('sets the nice value of the process and of the session that it leads', async () => {
    const { nice, group } = await inProcess(true);
    assert.equal(nice, 5);
    if (autogroups) assert.match(group, / nice 5$/);
  });

  it('leaves the session alone when it is somebody else’s', async () => {
    const before = autogroups ? readFileSync('/proc/self/autogroup', 'utf8').trim() : '';
    const { nice, group } = await inProcess(false);
    assert.equal(nice, 5);
    if (autogroups) assert.equal(group, before);
    assert.notEqual(getPriority(), 5);
  });
});
