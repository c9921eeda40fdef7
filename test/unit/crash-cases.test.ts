import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { differences, nothing, type State } from '../crash/audit.ts';
import { casesOf, mixed, nameOf, oneOfEach, plots, shuffled } from '../crash/cases.ts';
import { during, instrument } from '../crash/points.ts';

const clean: State = {
  objects: ['container p-a-1', 'network p_default'],
  nodes: { a: { state: 'running', netns: '# tc\nqdisc noqueue\n', 'cpu.cfs_quota_us': '-1 100000' } },
  leftovers: [],
};

describe('the audit of the crash tests', () => {
  test('equal states differ in nothing', () => {
    assert.deepEqual(differences(clean, structuredClone(clean)), []);
    assert.deepEqual(differences(nothing, structuredClone(nothing)), []);
  });

  test('a rule, a limit, an object too many or too few, a node that is gone and every leftover are told', () => {
    const changed = (change: (state: State) => void) => {
      const found = structuredClone(clean);
      change(found);
      return differences(clean, found).length;
    };
    assert.equal(
      changed((s) => {
        s.nodes.a = { ...s.nodes.a, netns: 'table netdev subjectd_x {}' };
      }),
      1,
    );
    assert.equal(
      changed((s) => {
        s.nodes.a = { ...s.nodes.a, 'cpu.cfs_quota_us': '40000 100000' };
      }),
      1,
    );
    assert.equal(
      changed((s) => s.objects.push('bounded volume p_v of 64 bytes')),
      1,
    );
    assert.equal(
      changed((s) => s.objects.pop()),
      1,
    );
    assert.equal(
      changed((s) => {
        s.nodes = {};
      }),
      3,
    );
    assert.equal(
      changed((s) => s.leftovers.push('watchdog record of flt_x')),
      1,
    );
  });
});

describe('the points of the crash tests', () => {
  const ledger = { put: async (_kind: string) => {}, all: () => [] };
  const toolbox = { call: async (op: string, _args: object) => op };

  test('writes and calls of the operation count, on both sides, and nothing beside it', async () => {
    const [seenLedger, seenToolbox] = [instrument('ledger', ledger), instrument('toolbox', toolbox)];
    const reached: string[] = [];
    const calls = await during(
      async () => {
        await seenLedger.put('fault');
        seenLedger.all();
        await seenToolbox.call('apply', { step: { op: 'net.delay' } });
        await seenToolbox.call('apply', { step: { op: 'net.delay' } });
      },
      (call, nth, when) => reached.push(`${when} ${call} ${nth}`),
    );
    await seenToolbox.call('snapshot', {});
    assert.deepEqual(calls, [
      { call: 'ledger.put fault', nth: 1, before: 0, after: 2 },
      { call: 'toolbox.apply net.delay', nth: 1, before: 2, after: 4 },
      { call: 'toolbox.apply net.delay', nth: 2, before: 4, after: 6 },
    ]);
    assert.deepEqual(reached, [
      'before ledger.put fault 1',
      'after ledger.put fault 1',
      'before toolbox.apply net.delay 1',
      'after toolbox.apply net.delay 1',
      'before toolbox.apply net.delay 2',
      'after toolbox.apply net.delay 2',
    ]);
  });

  test('what is outside is another with each call that does something, at its begin and at its end; one that only asks changes nothing', async () => {
    const open: (() => void)[] = [];
    const engine = instrument('engine', {
      act: (_name: string) => new Promise<void>((resolve) => open.push(resolve)),
      inspectContainer: async () => null,
    });
    const calls = await during(async () => {
      const both = [engine.act('a'), engine.act('b')];
      open[1]?.();
      await both[1];
      open[0]?.();
      await both[0];
      const last = engine.act('c');
      open[2]?.();
      await last;
      await engine.inspectContainer();
    }, null);
    assert.deepEqual(
      calls.map((c) => [c.nth, c.before, c.after]),
      [
        [1, 0, 4],
        [2, 1, 3],
        [3, 4, 6],
        [1, 6, 6],
      ],
    );
  });

  test('each moment is one case, of which call is for the seed to say, and a seed chooses the same ones again', () => {
    const [plot] = plots;
    assert.ok(plot);
    const all = casesOf(plot, [
      { call: 'engine.inspectContainer', nth: 1, before: 0, after: 0 },
      { call: 'ledger.put fault', nth: 1, before: 0, after: 2 },
      { call: 'engine.killContainer', nth: 1, before: 2, after: null },
    ]);
    assert.equal(new Set(all.map(nameOf)).size, 5);
    const chosen = (seed: number) => oneOfEach(all, seed).map(nameOf);
    for (const seed of [1, 2, 3])
      assert.deepEqual(
        oneOfEach(all, seed).map((c) => c.moment),
        [0, 2],
      );
    assert.deepEqual(chosen(5), chosen(5));
    assert.ok(new Set([1, 2, 3, 4, 5, 6, 7, 8].flatMap(chosen)).size === 5, 'each call has its turn');
    assert.deepEqual(shuffled(all, 5, nameOf), shuffled([...all].reverse(), 5, nameOf));
    assert.notDeepEqual(shuffled(plots, 5, JSON.stringify), shuffled(plots, 6, JSON.stringify));
  });

  test('a sample has its part of each operation, whatever the seed', () => {
    for (const seed of [1, 2, 3]) {
      const all = mixed(shuffled(plots, seed, JSON.stringify));
      assert.deepEqual(new Set(all), new Set(plots));
      const parts = ['heal', 'inject', 'reset'].map((operation) => all.slice(0, 10).filter((p) => p.operation === operation).length);
      assert.deepEqual(parts, [4, 3, 3]);
    }
  });
});
