import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { differences, nothing, type State } from '../crash/audit.ts';
import { casesOf, nameOf, plots, shuffled } from '../crash/cases.ts';
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
      { call: 'ledger.put fault', nth: 1, endsAlone: false },
      { call: 'toolbox.apply net.delay', nth: 1, endsAlone: false },
      { call: 'toolbox.apply net.delay', nth: 2, endsAlone: true },
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

  test('a call that ends while another is open has a time after it of its own; one that only asks never has', async () => {
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
      calls.map((c) => [c.nth, c.endsAlone]),
      [
        [1, false],
        [2, true],
        [3, false],
        [1, false],
      ],
    );
  });

  test('each call is a case, or two when its end is a moment of its own, and a seed chooses the same ones again', () => {
    const [plot] = plots;
    assert.ok(plot);
    const cases = casesOf(plot, [
      { call: 'engine.exec', nth: 1, endsAlone: true },
      { call: 'ledger.put fault', nth: 1, endsAlone: false },
      { call: 'engine.exec', nth: 2, endsAlone: true },
    ]);
    assert.equal(new Set(cases.map(nameOf)).size, 5);
    assert.deepEqual(shuffled(cases, 5, nameOf), shuffled([...cases].reverse(), 5, nameOf));
    assert.notDeepEqual(shuffled(plots, 5, JSON.stringify), shuffled(plots, 6, JSON.stringify));
  });
});
