import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { difference } from '../../src/captures/diff.ts';
import { anyMissing, anyPattern, type Path, printPath } from '../../src/captures/path.ts';

const change = (path: string, kind: string, before: unknown, after: unknown, delta: number | null = null) => ({
  path,
  change: kind,
  before,
  after,
  delta,
});
const changes = (before: unknown, after: unknown) => difference(before, after).changes;

describe('the difference of two states', () => {
  test('what was added, removed, changed, and is of another type', () => {
    assert.deepEqual(changes({ a: 1, b: 'x', c: true, d: null }, { b: 'y', c: true, d: {}, e: [1] }), [
      change('a', 'removed', 1, null),
      change('b', 'changed', 'x', 'y'),
      change('d', 'type_changed', null, {}),
      change('e', 'added', null, [1]),
    ]);
  });

  test('numbers say by how much', () => {
    assert.deepEqual(changes({ keys: 7 }, { keys: 4 }), [change('keys', 'changed', 7, 4, -3)]);
    assert.deepEqual(changes({ keys: 7 }, { keys: '7' }), [change('keys', 'type_changed', 7, '7')]);
  });

  test('elements of a list are known by their own names, in whatever order they come', () => {
    const before = {
      stores: [
        { id: 1, node: 'tikv0', up: true },
        { id: 4, node: 'tikv1', up: true },
      ],
    };
    const after = {
      stores: [
        { id: 4, node: 'tikv1', up: false },
        { id: 1, node: 'tikv0', up: true },
      ],
    };
    assert.deepEqual(changes(before, after), [change('stores.tikv1.up', 'changed', true, false)]);
  });

  test('a name that two elements share, or one lacks, is none', () => {
    const named = (...nodes: (string | null)[]) => ({ list: nodes.map((node, i) => ({ node, id: i + 1 })) });
    assert.deepEqual(changes(named('a', 'a'), named('a', 'b')), [change('list.2.node', 'changed', 'a', 'b')]);
    assert.deepEqual(changes(named('a', null), named('a', 'b')), [change('list.2.node', 'type_changed', null, 'b')]);
  });

  test('elements without names are known by their places', () => {
    assert.deepEqual(changes([{ x: 1 }, { x: 2 }], [{ x: 1 }]), [change('1', 'removed', { x: 2 }, null)]);
  });

  test('a list of plain values is one value', () => {
    assert.deepEqual(changes({ alarms: ['NOSPACE'] }, { alarms: [] }), [change('alarms', 'changed', ['NOSPACE'], [])]);
  });

  test('any name is only a name', () => {
    const odd = JSON.parse('{"counters": [{"key": "__proto__", "count": 1}, {"key": "a.b", "count": 1}]}');
    const now = JSON.parse('{"counters": [{"key": "__proto__", "count": 3}, {"key": "a.b", "count": 1}, {"key": "*", "count": 1}]}');
    assert.deepEqual(changes(odd, now), [
      change('counters.__proto__.count', 'changed', 1, 3, 2),
      change('counters."*"', 'added', null, { key: '*', count: 1 }),
    ]);
    assert.deepEqual(changes(JSON.parse('{"__proto__": 1}'), {}), [change('__proto__', 'removed', 1, null)]);
  });

  test('of a list that was cut it is not known who else is in it', () => {
    const list = (...keys: string[]) => ({ counters: keys.map((key) => ({ key, count: keys.length })) });
    const { changes: told } = difference(list('b', 'c', 'd'), list('a', 'b', 'c'), { missing: ['counters.beyond_3'] });
    assert.deepEqual(told, []);
    assert.deepEqual(difference({ a: 1 }, { b: 1 }, { missing: ['c'] }).changes.length, 2, 'members of an object are not so');
  });

  test('an element is known by any of its names, and names with dots stand in quotes', () => {
    const members = (name: string, index: number | null) => ({
      list: [
        { name: '', id: '7' },
        { name, id: '8', index },
      ],
    });
    assert.deepEqual(difference(members('a.b', 1), members('a.b', null), { missing: ['list."a.b".index'] }).changes, []);
    assert.deepEqual(difference(members('a', 1), members('a', 2), { volatile: ['list.a.index'] }).masked.length, 1);
    assert.deepEqual(difference({ '*': 1, a: 1 }, { '*': 2, a: 2 }, { volatile: ['"*"'] }).changes, [change('a', 'changed', 1, 2, 1)]);
  });

  test('what changes by itself is set apart, and what could not be read is no difference', () => {
    const before = {
      term: 2,
      members: [
        { name: 'a', status: { index: 7, keys: 1 } },
        { name: 'b', status: null },
      ],
    };
    const after = {
      term: 3,
      members: [
        { name: 'a', status: { index: 9, keys: 2 } },
        { name: 'b', status: { index: 9, keys: 2 } },
      ],
    };
    assert.deepEqual(difference(before, after, { missing: ['members.b.status'], volatile: ['members.*.status.index'] }), {
      changes: [change('term', 'changed', 2, 3, 1), change('members.a.status.keys', 'changed', 1, 2, 1)],
      masked: [change('members.a.status.index', 'changed', 7, 9, 2)],
    });
  });
});

describe('paths', () => {
  const path = (...steps: (string | [string])[]): Path =>
    steps.map((step) => (typeof step === 'string' ? { text: step, names: null } : { text: step[0], names: step }));
  const matches = (at: Path, pattern: string) => anyPattern([pattern])(at);
  const isMissing = (at: Path, name: string) => anyMissing([name])(at, false);

  test('are dotted; what would be read as something else is quoted', () => {
    assert.equal(printPath(path('members', ['pd0'], 'healthy')), 'members.pd0.healthy');
    assert.equal(printPath(path('counters', ['a b'], 'x"y', 'é')), 'counters."a b"."x\\"y".é');
  });

  test('a pattern stands for what it names and all below', () => {
    assert.ok(matches(path('stores', ['1'], 'id'), 'stores.*.id'));
    assert.ok(matches(path('regions', 'leaders', '1'), 'regions.leaders'));
    assert.ok(!matches(path('regions'), 'regions.leaders'));
    assert.ok(!matches(path('stores', ['1'], 'ids'), 'stores.*.id'));
  });

  test('a name of what is missing may leave out the element', () => {
    assert.ok(isMissing(path('members', ['pd0'], 'healthy'), 'members.healthy'));
    assert.ok(isMissing(path('members', ['pd0'], 'healthy'), 'members.pd0.healthy'));
    assert.ok(!isMissing(path('members', ['pd1'], 'healthy'), 'members.pd0.healthy'));
    assert.ok(!isMissing(path('members', 'pd0', 'healthy'), 'members.healthy'), 'a member is no element');
    assert.ok(!isMissing(path('members', ['pd0'], 'name'), 'members.healthy'));
  });
});

describe('for all states', () => {
  const state = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }));

  test('there is no difference to itself, in whatever order it is written', () => {
    fc.assert(
      fc.property(state, (value) => {
        const turned = Object.fromEntries(Object.entries(JSON.parse(JSON.stringify(value)) as object).reverse());
        assert.deepEqual(changes(value, turned), []);
      }),
    );
  });

  test('what differs is told, and the other way round is the same told backwards', () => {
    fc.assert(
      fc.property(state, state, (a, b) => {
        const there = changes(a, b);
        const back = changes(b, a);
        let same = true;
        try {
          assert.deepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));
        } catch {
          same = false;
        }
        // Lists of named elements are the same in another order.
        if (same) assert.deepEqual(there, []);
        assert.deepEqual(there.map((c) => c.path).sort(), back.map((c) => c.path).sort());
        for (const { path, before, after } of there) {
          assert.ok(back.some((c) => c.path === path && Object.is(c.before, after) && Object.is(c.after, before)));
        }
      }),
    );
  });

  test('nothing is lost between what is told and what is set apart', () => {
    fc.assert(
      fc.property(state, state, fc.array(fc.string()), (a, b, volatile) => {
        const { changes: told, masked } = difference(a, b, { volatile });
        assert.deepEqual(
          [...told, ...masked].map((c) => c.path).sort(),
          changes(a, b)
            .map((c) => c.path)
            .sort(),
        );
      }),
    );
  });
});
