import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fault } from '../../src/faults/fault.ts';
import type { Scene } from '../../src/faults/scene.ts';
import type { Step } from '../../src/faults/step.ts';
import { auditToolbox, remnants } from '../../src/faults/types/audit.ts';
import type { Calls } from '../../src/toolbox/protocol.ts';

const fault = { id: 'flt_01J9Z8Q4M7C2V5B6N8K0T3W1XY' } as Fault;
const clear = (node: string): Step => ({ op: 'net.clear', fault: fault.id, node, container_id: `id-${node}` });
const release = (node: string): Step => ({
  op: 'disk.release',
  fault: fault.id,
  node,
  container_id: `id-${node}`,
  volume: `v-${node}`,
  name: '.subjectd-x',
});
type Found = Calls['audit']['result']['residue'];

/** A scene whose toolbox answers so, and what it was asked. */
function toolbox(residue: Found): { scene: Scene; asked: unknown[] } {
  const asked: unknown[] = [];
  const call = async (op: string, args: unknown) => {
    asked.push([op, args]);
    return { residue };
  };
  return { scene: { toolbox: { call } } as unknown as Scene, asked };
}

test('each thing that is found is at the node whose container or volume it is in', async () => {
  const { scene, asked } = toolbox([
    { container_id: 'id-b', what: 'nft table', name: 'nft table', in_force: true },
    { container_id: '', what: 'fill file', name: 'fill file', in_force: true, volume: 'v-c' },
    { container_id: 'id-a', what: 'delay queue, for id-b', name: 'delay queue', in_force: false },
  ]);
  const undo = [clear('a'), clear('b'), release('c')];
  assert.deepEqual(await remnants(scene, fault, undo, AbortSignal.timeout(1000)), [
    { node: 'b', what: 'nft table', name: 'nft table', inForce: true },
    { node: 'c', what: 'fill file', name: 'fill file', inForce: true },
    { node: 'a', what: 'delay queue, for id-b', name: 'delay queue', inForce: false },
  ]);
  assert.deepEqual(asked, [['audit', { fault: fault.id, container_ids: ['id-a', 'id-b'], volumes: ['v-c'] }]]);
});

test('residue is what a heal answers: the node and what it is', async () => {
  const { scene } = toolbox([{ container_id: 'id-a', what: 'qdisc tbf 5bd0: on eth0', name: 'qdisc on eth0', in_force: true }]);
  assert.deepEqual(await auditToolbox(scene, fault, [clear('a')], AbortSignal.timeout(1000)), [
    { node: 'a', what: 'qdisc tbf 5bd0: on eth0' },
  ]);
});

test('what is at none of the nodes that were touched is not left out', async () => {
  const { scene } = toolbox([{ container_id: 'id-x', what: 'ballast', name: 'ballast', in_force: true }]);
  assert.equal((await remnants(scene, fault, [clear('a')], AbortSignal.timeout(1000)))[0]?.node, 'a');
});
