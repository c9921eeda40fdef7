import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Fault } from '../../src/faults/fault.ts';
import { chaosType } from '../../src/faults/registry.ts';
import type { Scene, SceneNode } from '../../src/faults/scene.ts';
import type { Step } from '../../src/faults/step.ts';
import { deadline } from '../../src/lib/until.ts';
import { ToolboxError } from '../../src/toolbox/port.ts';
import { activeFault, sceneNode } from './control-fakes.ts';

const never = new AbortController().signal;
const clearA: Step[] = [{ op: 'net.clear', fault: 'flt_1', node: 'a', container_id: 'id-a' }];
const waiting = { local: '10.0.0.2:6379', remote: '10.0.0.1:40000', retransmits: 6 };

/** `answers` says how often a container has a connection in back-off before it has none. */
function world(nodes: SceneNode[], answers: Record<string, number | ToolboxError> = {}) {
  const asked: { container_id: string; peers: string[] }[] = [];
  const call = async (_op: string, args: { container_id: string; peers: string[] }, signal: AbortSignal) => {
    signal.throwIfAborted();
    asked.push(args);
    const answer = answers[args.container_id] ?? 0;
    if (answer instanceof Error) throw answer;
    answers[args.container_id] = answer - 1;
    return { established: 1, backoff: answer > 0 ? [waiting] : [] };
  };
  return { scene: { subject: 'p', nodes, toolbox: { call } } as unknown as Scene, asked };
}

const settle = (scene: Scene, params: Fault['params'] = {}, signal: AbortSignal = never) =>
  chaosType({}, 'network_partition').settle(scene, activeFault({ params }).fault, clearA, signal);
const abc = () => [sceneNode('a', '10.0.0.1'), sceneNode('b', '10.0.0.2'), sceneNode('c', '10.0.0.3')];

describe('connections after a network fault', () => {
  test('the target is asked about all, each peer about the target; a peer in back-off is waited for', async () => {
    const { scene, asked } = world(abc(), { 'id-b': 2 });
    assert.deepEqual(await settle(scene), []);
    assert.deepEqual(asked.slice(0, 3), [
      { container_id: 'id-a', peers: ['10.0.0.2', '10.0.0.3'] },
      { container_id: 'id-b', peers: ['10.0.0.1'] },
      { container_id: 'id-c', peers: ['10.0.0.1'] },
    ]);
    assert.equal(asked.filter((q) => q.container_id === 'id-b').length, 3);
  });

  test('what is left when the time is over names the node that waits', async () => {
    const { scene } = world(abc(), { 'id-b': 1e9 });
    using limited = deadline('connections', 250);
    assert.deepEqual(await settle(scene, {}, limited), [
      { node: 'b', what: 'the connection 10.0.0.2:6379 - 10.0.0.1:40000 waits for its 6. retransmission' },
    ]);
  });

  test('only those on the other side are asked: the peers or the groups that it was told', async () => {
    const peers = world(abc());
    await settle(peers.scene, { peers: ['c'] });
    const groups = world(abc());
    await settle(groups.scene, { groups: [['a'], ['b']] });
    assert.deepEqual(
      [peers, groups].map((w) => w.asked.map((q) => q.container_id)),
      [
        ['id-a', 'id-c'],
        ['id-a', 'id-b'],
      ],
    );
  });

  test('who does not run, is gone meanwhile, is on the host’s network or shares the target’s namespace is no error', async () => {
    const { scene, asked } = world(
      [
        sceneNode('a', '10.0.0.1', { sharesNetworkWith: ['e'] }),
        sceneNode('b', '', { running: false }),
        sceneNode('c', '10.0.0.3'),
        sceneNode('d', '', { hostNetwork: true, networks: [] }),
        sceneNode('e', '10.0.0.1', { sharesNetworkWith: ['a'] }),
      ],
      { 'id-c': new ToolboxError('gone', 'no such container', 'measure.flows') },
    );
    assert.deepEqual(await settle(scene), []);
    assert.deepEqual(
      asked.map((q) => q.container_id),
      ['id-a', 'id-c'],
    );
  });

  test('a deadline before the first look has ended is not taken for none in back-off', async () => {
    const { scene } = world(abc());
    using limited = deadline('connections', 1);
    scene.toolbox.call = ((_op: string, _args: object, signal: AbortSignal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))) as Scene['toolbox']['call'];
    await assert.rejects(settle(scene, {}, limited), { name: 'DeadlineError' });
  });
});
