import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CaptureStore } from '../../src/captures/store.ts';
import { captures, captureUse, compareUse, findCapture } from '../../src/control/capture_use.ts';
import type { Context } from '../../src/control/context.ts';
import type { Host } from '../../src/control/host.ts';
import type { Registry } from '../../src/control/registry.ts';
import type { SystemState } from '../../src/kind/adapter.ts';
import { Problem } from '../../src/lib/problem.ts';
import { activeFault, FakeClock, FakeEvents } from './control-fakes.ts';

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'subjectd-capture-use-'));
});
after(() => rmSync(dir, { recursive: true }));

/** One subject of two nodes, of which `b` has no container, on an engine and a system that the test decides about. */
async function world(name: string) {
  const adapter = {
    nodeTypes: { a: 'cell', b: 'cell' },
    volatile: ['age'],
    perGeneration: ['start'],
    state: async (): Promise<SystemState> => ({ state: { keys: 1, age: 1, start: 1 }, missing: [], readable: true }),
  };
  const project = {
    name,
    services: [
      { name: 'a', networks: [] },
      { name: 'b', networks: [] },
    ],
    networks: [],
  };
  const detail = {
    ...{ id: 'id-a', imageId: 'sha256:1', labels: { 'com.docker.compose.service': 'a', 'io.subjectd.definition': 'def' }, networks: [] },
    ...{ state: 'exited', exitCode: 137, oomKilled: false, restartCount: 2, startedAt: 0 },
  };
  const events = new FakeEvents();
  let live = [activeFault({ id: 'flt_1', subject: name })];
  const context = {
    engine: {
      listContainers: async () => [{ id: 'id-a' }],
      inspectContainer: async () => detail,
      info: async () => ({
        ...{ id: 'engine', version: '20.10', apiVersion: '1.41', cgroupVersion: '1' },
        ...{ kernel: '6.1', operatingSystem: 'Debian', cpus: 2, memoryBytes: 1e9 },
      }),
    },
    store: { live: () => live },
    captures: await CaptureStore.open(join(dir, name)),
    clock: new FakeClock(),
    events,
    version: '1.2.3',
  };
  const kind = { name: 'pair', adapter };
  const host = { subject: { name, kind, project }, generation: 1, replacing: null as string | null, reach: { toolkit: () => ({}) } };
  const registry = {
    require: (asked: string) => {
      if (asked !== name) throw new Problem('subject_not_found', asked);
      return host;
    },
    kind: () => kind,
  };
  const args = [context as unknown as Context, registry as unknown as Registry] as const;
  return {
    adapter,
    detail,
    events,
    host,
    heal: () => {
      live = [];
    },
    take: (label?: string) =>
      captureUse(args[0], host as unknown as Host, label === undefined ? {} : { label }, new AbortController().signal),
    list: (limit: number, cursor?: string) => captures(...args, name, { limit, ...(cursor === undefined ? {} : { cursor }) }),
    find: (id: string, subject = name) => findCapture(...args, subject, id),
    compare: (a: string, b: string) => compareUse(...args, name, a, b),
  };
}

const code = (wanted: string) => (error: unknown) => error instanceof Problem && error.code === wanted;

describe('a capture', () => {
  test('has the nodes as the engine has them, the state, and what it was taken from', async () => {
    const { take, find, events } = await world('whole');
    const capture = await take('before');
    assert.deepEqual(capture.nodes, [
      {
        ...{ name: 'a', type: 'cell', state: 'exited', started_at: '1970-01-01T00:00:00.000Z' },
        ...{ exit_code: 137, oom_killed: false, restart_count: 2 },
      },
      { name: 'b', type: 'cell', state: 'absent', started_at: null, exit_code: null, oom_killed: false, restart_count: 0 },
    ]);
    assert.deepEqual(capture.fingerprint.system.services, { a: { image_id: 'sha256:1', definition: 'def' }, b: null });
    assert.deepEqual([capture.fingerprint.host.subjectd_version, capture.fingerprint.host.cpus], ['1.2.3', 2]);
    assert.deepEqual(await find(capture.id), capture);
    assert.deepEqual(events.of('capture.taken').length, 1);
  });

  test('names each fault that was live at some time while it was taken', async () => {
    const { adapter, take, heal } = await world('meanwhile');
    adapter.state = async () => {
      heal();
      return { state: {}, missing: [], readable: true };
    };
    assert.deepEqual(
      (await take()).faults.map(({ id, targets }) => [id, targets]),
      [['flt_1', ['a']]],
    );
    assert.deepEqual((await take()).faults, []);
  });

  test('is busy when the subject is replaced meanwhile, whatever was read then', async () => {
    const { adapter, host, take, list } = await world('replaced');
    host.replacing = 'op_1';
    await assert.rejects(take(), (error) => code('subject_busy')(error) && (error as Problem).extra.operation === 'op_1');
    host.replacing = null;
    adapter.state = async () => {
      host.generation++;
      return { state: {}, missing: [], readable: host.generation % 2 === 0 };
    };
    await assert.rejects(take(), code('subject_busy'));
    await assert.rejects(take(), code('subject_busy'), 'and not state_unavailable');
    assert.deepEqual((await list(10)).items, []);
  });
});

describe('captures that are kept', () => {
  test('are listed page by page, and are 404 by their own names', async () => {
    const { take, list, find } = await world('listed');
    const [a, b, c] = [await take('a'), await take('b'), await take('c')];
    const first = await list(2);
    assert.deepEqual([first.items.map((i) => i.id), first.next_cursor], [[c.id, b.id], b.id]);
    const second = await list(2, b.id);
    assert.deepEqual([second.items.map((i) => i.label), second.next_cursor], [['a'], null]);
    assert.ok(!('state' in (first.items[0] ?? {})));
    await assert.rejects(find('cap_x'), code('capture_not_found'));
    await assert.rejects(find(a.id, 'other'), code('subject_not_found'));
  });

  test('are compared by the masks of the kind: what each reset makes anew tells of a restart within a generation', async () => {
    const { adapter, detail, host, take, compare } = await world('compared');
    const a = await take();
    adapter.state = async () => ({ state: { keys: 1, age: 2, start: 2 }, missing: [], readable: true });
    detail.startedAt = 1000;
    const b = await take();
    const within = await compare(a.id, b.id);
    assert.deepEqual(within.changes.map((c) => c.path).sort(), ['nodes.a.started_at', 'state.start']);
    assert.deepEqual([within.masked.map((c) => c.path), within.comparable, within.equal], [['state.age'], true, false]);
    host.generation++;
    const over = await compare(a.id, (await take()).id);
    assert.deepEqual(
      [over.changes, over.equal, over.masked.map((c) => c.path).sort()],
      [[], true, ['nodes.a.started_at', 'state.age', 'state.start']],
    );
  });

  test('are of another system when an image is another, and not when a container is gone', async () => {
    const { detail, take, compare } = await world('systems');
    const a = await take();
    detail.imageId = 'sha256:2';
    const other = await compare(a.id, (await take()).id);
    assert.equal(other.comparable, false);
    assert.deepEqual(
      other.fingerprint.map((c) => c.path),
      ['digest', 'system.services.a.image_id'],
    );
    detail.imageId = 'sha256:1';
    detail.labels['com.docker.compose.service'] = 'b';
    const gone = await compare(a.id, (await take()).id);
    assert.deepEqual([gone.comparable, gone.equal], [true, false]);
  });
});
