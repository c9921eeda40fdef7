import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { presenceOf, tampering } from '../../src/faults/presence.ts';

const idle = 'idle: ';
/** Names that begin with `idle: ` are not in force. */
const found = (...pairs: [node: string, name: string][]) =>
  presenceOf(pairs.map(([node, name]) => ({ node, what: name, name, inForce: !name.startsWith(idle) })));
const chain = 'iptables-save -t mangle: -A S-01H -j NFQUEUE';

describe('what of an active fault somebody took away', () => {
  test('nothing, as long as it has in force what it had at first', () => {
    const first = found(['a', 'nft table netdev subjectd_x'], ['b', 'fill file .subjectd-x in volume p_b']);
    assert.deepEqual(tampering(['a', 'b'], first, first), { tampered: [], whole: ['a', 'b'], over: false });
  });

  test('a part: the node and what is missing; all of it: the fault is over', () => {
    const first = found(['a', chain], ['a', 'qdisc on eth0'], ['b', chain]);
    assert.deepEqual(tampering(['a', 'b'], first, found(['a', 'qdisc on eth0'], ['b', chain])), {
      tampered: [{ node: 'a', missing: [chain] }],
      whole: ['b'],
      over: false,
    });
    assert.equal(tampering(['a', 'b'], first, found()).over, true);
  });

  test('what is left but does nothing by itself does not keep the fault up, and is missed when it goes', () => {
    const queue = `${idle}delay queue of flt_x`;
    const empty = `${idle}iptables-save -t mangle: :S-01H -`;
    const first = found(['a', queue], ['a', empty], ['a', chain]);
    assert.equal(tampering(['a'], first, found(['a', queue], ['a', empty])).over, true);
    assert.deepEqual(tampering(['a'], first, found(['a', empty], ['a', chain])), {
      tampered: [{ node: 'a', missing: [queue] }],
      whole: [],
      over: false,
    });
  });

  test('of things of one name one in force is enough', () => {
    const tree = (...inForce: boolean[]) =>
      presenceOf(inForce.map((each, i) => ({ node: 'a', what: `qdisc ${i} on eth0`, name: 'qdisc on eth0', inForce: each })));
    assert.deepEqual(tampering(['a'], tree(true), tree(false, true, false)), { tampered: [], whole: ['a'], over: false });
    assert.equal(tampering(['a'], tree(true), tree(false)).over, true);
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
