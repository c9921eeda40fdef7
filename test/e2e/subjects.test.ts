import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Capture } from '../../src/captures/capture.ts';
import type { Comparison } from '../../src/captures/comparison.ts';
import type { HealthView, ResetResult, StateView, SubjectView } from '../../src/control/api.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { compose, docker, leftovers, type ProblemReply, Service, testEnv } from './service.ts';

const kinds = [
  { kind: 'etcd', nodes: 3, state: ['members', 'leader', 'term', 'revision', 'alarms', 'db_size_bytes', 'key_count'] },
  { kind: 'ratelimiter', nodes: 4, state: ['limits', 'counters', 'blocks', 'nodes'] },
  { kind: 'tikv', nodes: 6, state: ['store_count', 'stores', 'region_count'] },
];

/** Who is elected, and how often it took. */
const byChance = [/^state\.(etcd_)?leader\b/, /^state\.term$/, /^state\.members\.\w+\.status\.(leader|raft_term)$/];

for (const { kind, nodes, state } of kinds) {
  describe(`${kind}, as a remote runner sees it`, () => {
    let service: Service;
    const at = `/v1/subjects/${kind}`;
    const project = `${testEnv.SUBJECTD_PROJECT_PREFIX}${kind}`;
    let baseline: Capture;
    const take = async (label: string) => {
      const taken = await service.post<Capture>(`${at}/captures`, { label });
      assert.equal(taken.status, 201, JSON.stringify(taken.body));
      return taken.body;
    };
    const compare = async (a: Capture, b: Capture) => (await service.get<Comparison>(`${at}/captures/${a.id}/diff/${b.id}`)).body;
    before(async () => {
      service = await Service.start();
    });
    after(async () => {
      await service.close();
      assert.deepEqual(leftovers(project), []);
    });

    test('before the first reset it is absent, and says so everywhere', async () => {
      const subject = await service.get<SubjectView>(at);
      assert.equal(subject.body.phase, 'absent');
      assert.equal(subject.body.nodes.length, nodes);
      assert.ok(subject.body.nodes.every((n) => n.state === 'absent' && n.container_id === null));
      const health = await service.get<HealthView>(`${at}/health?fresh=true`);
      assert.deepEqual([health.status, health.body.healthy, health.body.nodes.length], [200, false, nodes]);
      const captured = await service.get<ProblemReply>(`${at}/state`);
      assert.deepEqual([captured.status, captured.body.code], [422, 'subject_not_running']);
      const fault = await service.post<ProblemReply>(`${at}/faults`, { chaos_type: 'node_kill' });
      assert.deepEqual([fault.status, fault.body.code], [422, 'subject_not_running']);
    });

    test('a reset answers only when the system itself says that it is healthy', async () => {
      const reset = await service.post<ResetResult>(`${at}/reset`);
      assert.equal(reset.status, 200, JSON.stringify(reset.body));
      assert.deepEqual([reset.body.subject, reset.body.generation, reset.body.healthy], [kind, 1, true]);
      assert.deepEqual(
        reset.body.phases.map((p) => p.name),
        ['observe', 'burn', 'create', 'start', 'prove'],
      );
      const health = await service.get<HealthView>(`${at}/health`);
      assert.deepEqual([health.body.healthy, health.body.issues], [true, []]);
      assert.ok(health.body.nodes.every((n) => n.health === 'up'));
      const subject = await service.get<SubjectView>(at);
      assert.equal(subject.body.phase, 'running');
      assert.ok(subject.body.nodes.every((n) => n.state === 'running' && n.container_id !== null));
    });

    test('its state has what the contract names', async () => {
      const captured = await service.get<StateView>(`${at}/state`);
      assert.equal(captured.status, 200);
      assert.deepEqual([captured.body.complete, captured.body.missing], [true, []]);
      for (const name of state) assert.ok(name in captured.body.state, name);
    });

    test('two captures of what nobody disturbs are equal', async () => {
      baseline = await take('clean');
      assert.deepEqual([baseline.label, baseline.generation, baseline.faults, baseline.complete], ['clean', 1, [], true]);
      assert.ok(
        Object.values(baseline.fingerprint.system.services).every((s) => s?.image_id.startsWith('sha256:') && s.definition !== null),
      );
      const { comparable, equal, changes } = await compare(baseline, await take('clean'));
      assert.deepEqual({ comparable, equal, changes }, { comparable: true, equal: true, changes: [] });
    });

    test('kill → state → heal → wait', async () => {
      const before = (await service.get<SubjectView>(at)).body;
      const killed = await service.post<Fault>(`${at}/faults`, { chaos_type: 'node_kill', seed: 7 });
      assert.equal(killed.status, 201, JSON.stringify(killed.body));
      const fault = killed.body;
      const target = fault.targets[0];
      assert.ok(target);
      assert.equal(fault.state, 'active');
      assert.equal(fault.effect?.verdict, 'confirmed');
      assert.deepEqual(
        [fault.effect?.evidence[0]?.before, fault.effect?.evidence[0]?.after, fault.effect?.evidence[0]?.exit_code],
        ['running', 'exited', 137],
      );
      assert.equal(docker('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', target.container), 'exited 137');
      assert.deepEqual(fault.metadata, {
        fault_id: fault.id,
        chaos_type: 'node_kill',
        target_container: target.container,
        signal: 'SIGKILL',
      });

      const health = (await service.get<HealthView>(`${at}/health?fresh=true`)).body;
      assert.equal(health.healthy, false);
      assert.equal(health.nodes.find((n) => n.name === target.node)?.health, 'down');
      const captured = await service.get<StateView>(`${at}/state`);
      assert.equal(captured.status, 200);
      const under = await take('killed');
      assert.deepEqual(
        under.faults.map((f) => [f.id, f.chaos_type, f.state, f.targets]),
        [[fault.id, 'node_kill', 'active', [target.node]]],
      );
      const disturbed = await compare(baseline, under);
      assert.deepEqual([disturbed.comparable, disturbed.equal], [true, false], 'it is the same system, disturbed');
      const ofNodes = disturbed.changes.filter(({ path }) => path.startsWith('nodes.'));
      assert.deepEqual(ofNodes.map(({ path, after }) => [path, after]).sort(), [
        [`nodes.${target.node}.exit_code`, 137],
        [`nodes.${target.node}.state`, 'exited'],
      ]);

      const healed = await service.delete<Fault>(`${at}/faults/${fault.id}`);
      assert.equal(healed.status, 200, JSON.stringify(healed.body));
      assert.deepEqual(
        [healed.body.state, healed.body.ended_by, healed.body.heal?.verdict, healed.body.heal?.residue],
        ['healed', 'api', 'clean', []],
      );
      const undone = await compare(baseline, await take('healed'));
      const started = undone.changes.filter(({ path }) => path.startsWith('nodes.')).map(({ path }) => path);
      assert.deepEqual(started, [`nodes.${target.node}.started_at`], 'a restart within a generation is told');
      const waited = await service.get<HealthView>(`${at}/health?wait=healthy&timeout_ms=30000`);
      assert.equal(waited.body.healthy, true, JSON.stringify(waited.body));
      const subject = (await service.get<SubjectView>(at)).body;
      assert.deepEqual(
        subject.nodes.map((n) => n.container_id),
        before.nodes.map((n) => n.container_id),
        'a heal starts the same containers again',
      );
      const again = await service.delete<Fault>(`${at}/faults/${fault.id}`);
      assert.deepEqual(again.body, healed.body, 'healing again answers the same');
    });

    test('the same seed chooses the same node; a dry run says which, and changes nothing', async () => {
      const plan = async () =>
        (
          await service.post<{ targets: { node: string }[]; plan: unknown[]; undo: unknown[] }>(`${at}/faults`, {
            chaos_type: 'node_kill',
            seed: 11,
            dry_run: true,
          })
        ).body;
      const [first, second] = [await plan(), await plan()];
      assert.deepEqual(first, second);
      assert.deepEqual([first.plan.length, first.undo.length], [1, 1]);
      const real = await service.post<Fault>(`${at}/faults`, { chaos_type: 'node_kill', seed: 11 });
      assert.deepEqual(real.body.targets, first.targets);
      const healed = await service.delete<{ faults: Fault[] }>(`${at}/faults`);
      assert.deepEqual(
        healed.body.faults.map((f) => f.heal?.verdict),
        ['clean'],
      );
    });

    test('the next reset heals what is live, and keeps names and addresses', async () => {
      const address = () => docker('inspect', '-f', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', ...containers());
      const containers = () =>
        docker('ps', '-a', '--filter', `label=com.docker.compose.project=${project}`, '--format', '{{.Names}}').split('\n').sort();
      const [names, addresses] = [containers(), address()];
      const fault = await service.post<Fault>(`${at}/faults`, { chaos_type: 'node_kill', ttl_ms: 600_000 });
      assert.equal(fault.status, 201);
      const reset = await service.post<ResetResult>(`${at}/reset`);
      assert.equal(reset.status, 200, JSON.stringify(reset.body));
      assert.equal(reset.body.generation, 2);
      const after = (await service.get<Fault>(`${at}/faults/${fault.body.id}`)).body;
      assert.deepEqual([after.state, after.ended_by, after.heal?.verdict], ['healed', 'reset', 'clean']);
      assert.deepEqual([containers(), address()], [names, addresses]);
      const { comparable, changes, unknown } = await compare(baseline, await take('clean again'));
      assert.deepEqual([comparable, unknown], [true, []], 'a reset makes the same system');
      assert.deepEqual(
        changes.filter(({ path }) => !byChance.some((pattern) => pattern.test(path))),
        [],
      );
    });

    test('Compose sees the subject, and takes it all down', () => {
      const shown = compose('-p', project, 'ps', '--format', '{{.Service}} {{.State}}').split('\n').sort();
      assert.equal(shown.length, nodes);
      assert.ok(shown.every((line) => line.endsWith(' running')));
      compose('-p', project, 'down', '-v');
      assert.deepEqual(leftovers(project), []);
    });

    test('what somebody else took down is absent, and can be reset again', async () => {
      const health = await service.get<HealthView>(`${at}/health?fresh=true`);
      assert.equal(health.body.healthy, false);
      const reset = await service.post<ResetResult>(`${at}/reset`);
      assert.deepEqual([reset.status, reset.body.generation], [200, 3], JSON.stringify(reset.body));
    });
  });
}
