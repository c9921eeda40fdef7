import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Poller } from '../../src/health/poller.ts';
import { Quiet } from '../../src/health/quiet.ts';
import { type ContainerView, combine, type HealthReport, unknownReport } from '../../src/health/report.ts';
import type { SystemHealth } from '../../src/kind/adapter.ts';

const container = (name: string, state = 'running', checked = true): ContainerView => ({
  name,
  type: 't',
  id: `id-${name}`,
  state,
  checked,
  why: null,
});
const system = (health: SystemHealth['nodes'][number]['health'], healthy = true): SystemHealth => ({
  healthy,
  nodes: ['a', 'b'].map((name) => ({ name, health, address: `${name}:1` })),
  issues: [],
  details: {},
});

describe('health is what both the containers and the system say', () => {
  test('all running, checked and up is healthy', () => {
    const report = combine('s', [container('a'), container('b')], system('up'), 'now');
    assert.deepEqual([report.healthy, report.has_issues, report.issues], [true, false, []]);
  });

  test('a node that does not run is down, whatever the system still believes', () => {
    const report = combine('s', [container('a', 'exited'), container('b')], system('up'), 'now');
    assert.deepEqual([report.healthy, report.nodes[0]?.health, report.nodes[1]?.health], [false, 'down', 'up']);
    assert.match(report.issues[0] ?? '', /a: its container is exited/);
  });

  test('a node whose own check fails is not called up', () => {
    const report = combine('s', [container('a', 'running', false), container('b')], system('up'), 'now');
    assert.deepEqual([report.healthy, report.nodes[0]?.health], [false, 'unknown']);
  });

  test('running containers alone are not enough', () => {
    assert.equal(combine('s', [container('a'), container('b')], system('up', false), 'now').healthy, false);
    assert.equal(combine('s', [container('a'), container('b')], system('unknown'), 'now').healthy, false);
    assert.equal(combine('s', [], { ...system('up'), nodes: [] }, 'now').healthy, false);
  });
});

describe('the poller', () => {
  const report = (healthy: boolean, n = 0): HealthReport => ({
    ...unknownReport('s', [{ name: 'a', type: 't' }], healthy ? 'up' : 'down', `poll ${n}`, null),
    healthy,
  });
  const never = new AbortController().signal;
  const quiet = new Quiet();
  const make = (poll: (n: number) => Promise<HealthReport> | HealthReport, idleMs = 60_000) => {
    let n = 0;
    const changes: boolean[] = [];
    const poller = new Poller({
      poll: async () => poll(++n),
      onError: () => report(false),
      onChange: (now) => changes.push(now.healthy),
      initial: unknownReport('s', [], 'unknown', 'Not polled yet.', null),
      pace: { idleMs, waitingMs: 1 },
      quiet,
    });
    return { poller, changes, polls: () => n };
  };

  test('fresh answers a poll that began after it was asked for', async () => {
    const { poller } = make((n) => report(true, n));
    poller.start();
    const first = await poller.fresh(never);
    const second = await poller.fresh(never);
    assert.notDeepEqual(first.issues, second.issues);
    await poller.stop();
  });

  test('while something is measured there are only the polls that are asked for', async () => {
    const { poller, polls } = make((n) => report(true, n), 1);
    await quiet.during(async () => {
      poller.start();
      assert.equal((await poller.fresh(never)).issues[0], 'poll 1');
      poller.poke();
      poller.poke();
      assert.equal(polls(), 1);
    });
    await poller.wait(() => polls() > 2, 10_000, never);
    await poller.stop();
  });

  test('a failing poll never ends the poller', async () => {
    const { poller, polls } = make((n) => {
      if (n < 4) throw new Error('engine gone');
      return report(true, n);
    });
    poller.start();
    const answer = await poller.wait((r) => r.healthy, 10_000, never);
    assert.equal(answer.healthy, true);
    assert.ok(polls() >= 4);
    await poller.stop();
  });

  test('wait answers the last report when the time is over, and throws only for the caller’s own abort', async () => {
    const { poller } = make(() => report(false));
    poller.start();
    assert.equal((await poller.wait((r) => r.healthy, 30, never)).healthy, false);
    const gone = new AbortController();
    const waiting = poller.wait((r) => r.healthy, 60_000, gone.signal);
    gone.abort(new Error('hung up'));
    await assert.rejects(waiting, /hung up/);
    await poller.stop();
  });

  test('only changes of the verdict or of a node’s health are told', async () => {
    const { poller, changes } = make((n) => report(n > 3, n));
    poller.start();
    for (let i = 0; i < 6; i++) await poller.fresh(never);
    assert.deepEqual(changes, [false, true]);
    await poller.stop();
  });

  test('while held it does not poll, and says why', async () => {
    const { poller, polls } = make(() => report(true));
    poller.start();
    await poller.fresh(never);
    poller.hold({ ...report(false), issues: ['The subject is resetting.'] });
    const before = polls();
    assert.deepEqual((await poller.fresh(never)).issues, ['The subject is resetting.']);
    assert.equal(polls(), before);
    poller.release();
    assert.equal((await poller.wait((r) => r.healthy, 10_000, never)).healthy, true);
    await poller.stop();
  });

  test('an event during a poll is not lost: another poll follows', async () => {
    let release = () => {};
    const { poller, polls } = make((n) => (n === 1 ? new Promise<HealthReport>((r) => (release = () => r(report(false)))) : report(true)));
    poller.start();
    poller.poke();
    release();
    assert.equal((await poller.wait((r) => r.healthy, 10_000, never)).healthy, true);
    assert.ok(polls() >= 2);
    await poller.stop();
  });
});
