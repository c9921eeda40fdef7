import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { presenceOf, tampering } from '../../src/faults/presence.ts';

const found = (...pairs: [node: string, what: string][]) => presenceOf(pairs.map(([node, what]) => ({ node, what })));
const chain = 'iptables-save -t mangle: -A S-01H -j NFQUEUE';

describe('what of an active fault somebody took away', () => {
  test('nothing, as long as it has in force what it had at first', () => {
    const first = found(['a', 'nft table netdev subjectd_x'], ['b', 'fill file .subjectd-x in volume p_b']);
    assert.deepEqual(tampering(['a', 'b'], first, first), { tampered: [], whole: ['a', 'b'], over: false });
  });

  test('a part: the node and what is missing; all of it: the fault is over', () => {
    const first = found(['a', chain], ['a', 'qdisc tbf 5bd0: on eth0'], ['b', chain]);
    assert.deepEqual(tampering(['a', 'b'], first, found(['a', 'qdisc tbf 5bd0: on eth0'], ['b', chain])), {
      tampered: [{ node: 'a', missing: [chain] }],
      whole: ['b'],
      over: false,
    });
    assert.equal(tampering(['a', 'b'], first, found()).over, true);
  });

  test('a delay queue without the rules that fill it is not in force, and neither is an empty chain', () => {
    const queue = 'delay queue of flt_x, started for container c';
    const empty = 'iptables-save -t mangle: :S-01H - [0:0]';
    const first = found(['a', queue], ['a', empty], ['a', chain]);
    assert.equal(tampering(['a'], first, found(['a', queue], ['a', empty])).over, true);
    assert.deepEqual(tampering(['a'], first, found(['a', empty], ['a', chain])), {
      tampered: [{ node: 'a', missing: [queue] }],
      whole: [],
      over: false,
    });
  });

  test('a tree of qdiscs that another fault changed and ballast that a new agent made are the same', () => {
    const first = found(['a', 'qdisc tbf 5bd0: on eth0'], ['a', 'ballast: 10 MB, process 4']);
    const now = found(['a', 'qdisc prio 5bd0: on eth0'], ['a', 'qdisc netem 5bd1: on eth0'], ['a', 'ballast: 10 MB, process 9']);
    assert.deepEqual(tampering(['a'], first, now), { tampered: [], whole: ['a'], over: false });
  });

  test('a node that had nothing when it was first looked at had lost it already', () => {
    assert.deepEqual(tampering(['a', 'b'], found(['b', chain]), found(['b', chain])), {
      tampered: [{ node: 'a', missing: ['everything'] }],
      whole: ['b'],
      over: false,
    });
    assert.equal(tampering(['a'], found(), found()).over, true);
  });
});
