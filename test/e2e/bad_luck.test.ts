import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { HealthView, KindView, ResetResult, SubjectView } from '../../src/control/api.ts';
import type { Operation } from '../../src/control/operation.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { deadline, until } from '../../src/lib/until.ts';
import { docker, leftovers, type ProblemReply, root, Service, testEnv } from './service.ts';

const at = '/v1/subjects/etcd';
const prefix = testEnv.SUBJECTD_PROJECT_PREFIX;
const project = `${prefix}etcd`;
const ids = () => docker('ps', '-aq', '--no-trunc', '--filter', `label=com.docker.compose.project=${project}`).split('\n').sort();

/** An adapter for kinds that are only made to go wrong. */
const adapter = (kind: string, nodes: string[], healthy = 'toolkit.nodes.every((n) => n.running)') => `export const adapter = {
  kind: '${kind}', summary: 'made for a test', nodeTypes: { ${nodes.map((n) => `${n}: 'node'`).join(', ')} }, defaultTarget: { type: 'node' }, imageVariables: [], roleNames: [],
  health: async (toolkit) => ({ healthy: ${healthy}, nodes: toolkit.nodes.map((n) => ({ name: n.name, health: n.running ? 'up' : 'down', address: n.name + ':1' })), issues: [], details: {} }),
  state: async () => ({ state: {}, missing: [], readable: true }),
  roles: async () => [],
};
`;

describe('bad luck', () => {
  let service: Service;
  let kinds = '';
  const kind = (name: string, compose: string, nodes = ['a'], healthy?: string) => {
    mkdirSync(join(kinds, name), { recursive: true });
    writeFileSync(join(kinds, name, 'compose.yaml'), compose);
    writeFileSync(join(kinds, name, 'adapter.mjs'), adapter(name, nodes, healthy));
  };
  before(async () => {
    kinds = mkdtempSync(join(tmpdir(), 'subjectd-kinds-'));
    kind('dies', 'services:\n  a:\n    image: subjectd/etcd:3.5\n    entrypoint: [sh, -c, "echo the reason is written here; exit 3"]\n');
    kind(
      'never',
      'services:\n  a:\n    image: subjectd/etcd:3.5\n    entrypoint: [sleep, "600"]\n    healthcheck: {test: [CMD, "false"], interval: 1s}\n',
    );
    kind(
      'nocheck',
      'services:\n  a:\n    image: subjectd/etcd:3.5\n    entrypoint: [sleep, "600"]\n    healthcheck: {test: [CMD, there-is-no-such-command], interval: 1s}\n',
    );
    kind(
      'dieslater',
      'services:\n  a:\n    image: subjectd/etcd:3.5\n    entrypoint: [sh, -c, "sleep 2; echo it went well at first; exit 4"]\n',
      ['a'],
      'false',
    );
    kind('unprovable', 'services:\n  a:\n    image: subjectd/etcd:3.5\n    entrypoint: [sleep, "600"]\n', ['a'], 'false');
    docker('tag', 'subjectd/etcd:3.5', 'subjectd-test/retagged:1');
    kind('retagged', 'services:\n  a:\n    image: subjectd-test/retagged:1\n    entrypoint: [sleep, "600"]\n');
    kind('noimage', 'services:\n  a:\n    image: subjectd/there-is-none:1\n    pull_policy: never\n');
    kind('badkey', 'services:\n  a:\n    image: subjectd/etcd:3.5\n    build: .\n');
    kind('cycle', 'services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [a]}\n', ['a', 'b']);
    kind('undefinedvar', 'services:\n  a:\n    image: $' + '{NOT_SET_ANYWHERE}\n');
    kind('nobind', 'services:\n  a:\n    image: subjectd/etcd:3.5\n    volumes: ["./missing.conf:/etc/x.conf:ro"]\n');
    kind(
      'oneshot',
      'services:\n  init:\n    image: subjectd/etcd:3.5\n    entrypoint: ["true"]\n  a:\n    image: subjectd/etcd:3.5\n    entrypoint: [sleep, "600"]\n    depends_on: {init: {condition: service_completed_successfully}}\n',
    );
    service = await Service.start({ SUBJECTD_SUBJECTS_DIR: kinds });
    const reset = await service.post(`${at}/reset`);
    assert.equal(reset.status, 200, JSON.stringify(reset.body));
  });
  after(async () => {
    await service.close();
    rmSync(kinds, { recursive: true });
    docker('rmi', 'subjectd-test/retagged:1');
    for (const name of ['etcd', 'dies', 'dieslater', 'unprovable', 'never', 'nocheck', 'oneshot', 'retagged'])
      assert.deepEqual(leftovers(`${prefix}${name}`), [], name);
  });

  test('a second reset while one runs is 409 subject_busy, naming the operation', async () => {
    const first = await service.call<Operation>('POST', `${at}/reset`, {}, { prefer: 'respond-async' });
    assert.equal(first.status, 202);
    const second = await service.post<ProblemReply>(`${at}/reset`);
    assert.deepEqual([second.status, second.body.code, second.body.operation], [409, 'subject_busy', first.body.id]);
    assert.ok(Number(second.headers.get('retry-after')) >= 1);
    const ended = await service.get<Operation>(`/v1/operations/${first.body.id}?wait_ms=60000`);
    assert.equal(ended.body.state, 'succeeded', JSON.stringify(ended.body.error));
    assert.equal((ended.body.result as ResetResult).healthy, true);
  });

  test('a cancelled reset says so, and the next one is clean', async () => {
    const first = await service.call<Operation>('POST', `${at}/reset`, {}, { prefer: 'respond-async' });
    await service.post(`/v1/operations/${first.body.id}/cancel`);
    const ended = await service.get<Operation>(`/v1/operations/${first.body.id}?wait_ms=60000`);
    assert.deepEqual([ended.body.state, ended.body.error?.code], ['cancelled', 'operation_cancelled']);
    assert.equal((await service.post(`${at}/reset`)).status, 200);
  });

  test('heal-all gets through a busy subject', async () => {
    const first = await service.call<Operation>('POST', `${at}/reset`, {}, { prefer: 'respond-async' });
    const healed = await service.delete<{ faults: Fault[] }>(`${at}/faults`);
    assert.equal(healed.status, 200, JSON.stringify(healed.body));
    const ended = await service.get<Operation>(`/v1/operations/${first.body.id}?wait_ms=1000`);
    assert.equal(ended.body.state, 'cancelled');
    assert.equal((await service.post(`${at}/reset`)).status, 200);
  });

  test('no running candidate is 422, and nothing changes', async () => {
    const faults: Fault[] = [];
    for (let n = 0; n < 3; n++) {
      const reply = await service.post<Fault>(`${at}/faults`, { chaos_type: 'node_kill', seed: n });
      assert.equal(reply.status, 201, JSON.stringify(reply.body));
      faults.push(reply.body);
    }
    const fourth = await service.post<ProblemReply>(`${at}/faults`, { chaos_type: 'node_kill' });
    assert.deepEqual([fourth.status, fourth.body.code], [422, 'no_candidate']);
    const named = await service.post<ProblemReply>(`${at}/faults`, { chaos_type: 'node_kill', target: { node: 'etcd0' } });
    assert.deepEqual([named.status, named.body.code], [409, 'fault_conflict'], 'the fault that is in the way is named');
    const captured = await service.get<ProblemReply>(`${at}/state`);
    assert.deepEqual([captured.status, captured.body.code], [503, 'state_unavailable']);
    const healed = await service.delete<{ faults: Fault[] }>(`${at}/faults`);
    assert.deepEqual(
      healed.body.faults.map((f) => f.heal?.verdict),
      ['clean', 'clean', 'clean'],
    );
  });

  test('healed one by one, a majority that is dead is unknown until the system can prove itself, then clean', async () => {
    const faults: Fault[] = [];
    for (const node of ['etcd0', 'etcd1'])
      faults.push((await service.post<Fault>(`${at}/faults`, { chaos_type: 'node_kill', target: { node } })).body);
    const third = (await service.post<Fault>(`${at}/faults`, { chaos_type: 'node_kill', target: { node: 'etcd2' } })).body;
    const alone = (await service.delete<Fault>(`${at}/faults/${third.id}`)).body;
    assert.deepEqual([alone.state, alone.heal?.verdict], ['residue', 'unknown'], JSON.stringify(alone.heal));
    const second = (await service.delete<Fault>(`${at}/faults/${faults[0]?.id}`)).body;
    assert.deepEqual([second.state, second.heal?.verdict], ['healed', 'clean'], JSON.stringify(second.heal));
    const after = (await service.get<Fault>(`${at}/faults/${third.id}`)).body;
    assert.deepEqual([after.state, after.heal?.verdict], ['healed', 'clean'], JSON.stringify(after.heal));
    await service.delete(`${at}/faults`);
  });

  test('a role target hits who has the role now, with the reply that proves it', async () => {
    const reply = await service.post<Fault>(`${at}/faults`, { chaos_type: 'node_kill', target: { role: 'leader' } });
    assert.equal(reply.status, 201, JSON.stringify(reply.body));
    assert.equal(reply.body.selection.proof?.[0]?.node, reply.body.targets[0]?.node);
    await service.delete(`${at}/faults`);
  });

  test('a container of another project that carries a node’s name is never touched', async () => {
    await service.delete(at);
    const name = `${project}-etcd1-1`;
    const stranger = docker('run', '-d', '--name', name, '--entrypoint', 'sleep', 'subjectd/etcd:3.5', '600');
    try {
      const reset = await service.post<ProblemReply>(`${at}/reset`);
      assert.deepEqual([reset.status, reset.body.code], [409, 'name_conflict']);
      assert.equal(docker('inspect', '-f', '{{.State.Running}}', stranger), 'true');
      assert.deepEqual(leftovers(project), [], 'nothing was begun');
      const fault = await service.post<ProblemReply>(`${at}/faults`, { chaos_type: 'node_kill', target: { node: 'etcd1' } });
      assert.deepEqual([fault.status, fault.body.code], [422, 'subject_not_running']);
      assert.equal(docker('inspect', '-f', '{{.State.Running}}', stranger), 'true');
    } finally {
      docker('rm', '-f', stranger);
    }
    assert.equal((await service.post(`${at}/reset`)).status, 200);
  });

  test('a project of the same name made by Compose itself is refused with the way out', async () => {
    await service.delete(at);
    const stranger = docker(
      'run',
      '-d',
      '--label',
      `com.docker.compose.project=${project}`,
      '--entrypoint',
      'sleep',
      'subjectd/etcd:3.5',
      '600',
    );
    try {
      const reset = await service.post<ProblemReply>(`${at}/reset`);
      assert.deepEqual([reset.status, reset.body.code], [409, 'project_conflict']);
      assert.ok(reset.body.detail.includes(`docker compose -p ${project} down -v`), reset.body.detail);
    } finally {
      docker('rm', '-f', stranger);
    }
  });

  test('a fixed host port that is taken is 409 before anything is burnt', async () => {
    assert.equal((await service.post(`${at}/reset`)).status, 200);
    await service.delete(at);
    const { endpoints } = (await service.get<SubjectView>(at)).body;
    const port = Number(endpoints.find((e) => e.outside !== null)?.outside?.split(':')[1]);
    const holder = createServer();
    holder.listen(port, '127.0.0.1');
    await once(holder, 'listening');
    try {
      const reset = await service.post<ProblemReply>(`${at}/reset`);
      assert.deepEqual([reset.status, reset.body.code], [409, 'port_taken']);
      assert.match(reset.body.detail, new RegExp(`127.0.0.1:${port}`));
      assert.deepEqual(leftovers(project), []);
    } finally {
      holder.close();
    }
    assert.equal((await service.post(`${at}/reset`)).status, 200);
  });

  test('somebody else’s container on the subject’s network survives a reset and is on it again', async () => {
    const runner = docker('run', '-d', '--network', `${project}_default`, '--entrypoint', 'sleep', 'subjectd/etcd:3.5', '600');
    try {
      const reset = await service.post<ResetResult>(`${at}/reset`);
      assert.equal(reset.status, 200, JSON.stringify(reset.body));
      assert.ok(reset.body.notes.some((n) => n.includes('taken off and put back')));
      assert.equal(
        docker('inspect', '-f', '{{.State.Running}} {{range $n, $_ := .NetworkSettings.Networks}}{{$n}}{{end}}', runner),
        `true ${project}_default`,
      );
    } finally {
      docker('rm', '-f', runner);
    }
  });

  test('a node that exits fails the reset at once, with its last log lines', async () => {
    const reset = await service.post<ProblemReply & { nodes: { logs: string[]; exit_code: number }[] }>('/v1/subjects/dies/reset', {
      timeout_ms: 100_000,
    });
    assert.deepEqual([reset.status, reset.body.code, reset.body.nodes[0]?.exit_code], [504, 'node_failed', 3]);
    assert.ok(reset.body.nodes[0]?.logs.some((l) => l.includes('the reason is written here')));
  });

  test('a node that exits while the system is being proven fails the reset at once too', async () => {
    const reset = await service.post<ProblemReply & { nodes: { logs: string[]; exit_code: number }[] }>('/v1/subjects/dieslater/reset', {
      timeout_ms: 100_000,
    });
    assert.deepEqual(
      [reset.status, reset.body.code, reset.body.nodes?.[0]?.exit_code],
      [504, 'node_failed', 4],
      JSON.stringify(reset.body),
    );
    assert.ok(reset.body.nodes[0]?.logs.some((l) => l.includes('it went well at first')));
  });

  test('kill -9 while the system is being proven: the unproven generation is rolled back', async () => {
    const begun = await service.call<Operation>('POST', '/v1/subjects/unprovable/reset', {}, { prefer: 'respond-async' });
    using limited = deadline('the proof', 30_000);
    await until(
      async () => ((await service.get<Operation>(`/v1/operations/${begun.body.id}`)).body.progress.phase === 'prove' ? true : undefined),
      20,
      limited,
    );
    assert.equal((await service.get<HealthView>('/v1/subjects/unprovable/health?fresh=true')).body.healthy, false);
    await service.kill('SIGKILL');
    await service.boot();
    assert.deepEqual(leftovers(`${prefix}unprovable`), []);
    assert.equal((await service.get<Operation>(`/v1/operations/${begun.body.id}`)).body.error?.code, 'interrupted');
  });

  test('a tear-down that is refused leaves the subject as it was', async () => {
    const stranger = docker(
      'run',
      '-d',
      '--label',
      `com.docker.compose.project=${project}`,
      '--entrypoint',
      'sleep',
      'subjectd/etcd:3.5',
      '600',
    );
    try {
      const gone = await service.delete<ProblemReply>(at);
      assert.deepEqual([gone.status, gone.body.code], [409, 'project_conflict']);
      assert.equal((await service.get<SubjectView>(at)).body.phase, 'running');
    } finally {
      docker('rm', '-f', stranger);
    }
  });

  test('a health check whose command is not in the image fails the reset without waiting for the timeout', async () => {
    const reset = await service.post<ProblemReply>('/v1/subjects/nocheck/reset', { timeout_ms: 100_000 });
    assert.deepEqual([reset.status, reset.body.code], [504, 'node_failed']);
    assert.match(reset.body.detail, /health check cannot run/);
  });

  test('a node that never becomes healthy is 504 at the timeout, with the node named', async () => {
    const reset = await service.post<ProblemReply & { nodes: { name: string }[] }>('/v1/subjects/never/reset', { timeout_ms: 3000 });
    assert.deepEqual([reset.status, reset.body.code, reset.body.nodes[0]?.name], [504, 'not_healthy', 'a']);
    assert.equal((await service.get<SubjectView>('/v1/subjects/never')).body.phase, 'failed');
  });

  test('a one-shot that somebody waits for may end with 0', async () => {
    const reset = await service.post<ResetResult>('/v1/subjects/oneshot/reset');
    assert.equal(reset.status, 200, JSON.stringify(reset.body));
  });

  test('an image that cannot be had is 422 IMAGE_UNAVAILABLE with what to do, in the catalogue too', async () => {
    const reset = await service.post<ProblemReply>('/v1/subjects/noimage/reset');
    assert.deepEqual([reset.status, reset.body.code], [422, 'IMAGE_UNAVAILABLE']);
    assert.match(reset.body.detail, /subjectd\/there-is-none:1/);
    const shown = await service.get<KindView>('/v1/kinds/noimage');
    assert.deepEqual([shown.body.available, shown.body.reason], [false, 'IMAGE_UNAVAILABLE']);
  });

  test('a compose file that cannot be used is refused with file, line and column', async () => {
    for (const [name, line, text] of [
      ['badkey', 4, /build/],
      ['cycle', 2, /a|b/],
      ['undefinedvar', 3, /NOT_SET_ANYWHERE/],
      ['nobind', 4, /missing\.conf/],
    ] as const) {
      const reset = await service.post<ProblemReply & { issues: { file: string; line: number; column: number; message: string }[] }>(
        `/v1/subjects/${name}/reset`,
      );
      assert.deepEqual([reset.status, reset.body.code], [422, 'compose_invalid'], `${name}: ${JSON.stringify(reset.body)}`);
      const issue = reset.body.issues[0];
      assert.deepEqual([issue?.file.endsWith('compose.yaml'), issue?.line], [true, line], `${name}: ${JSON.stringify(reset.body.issues)}`);
      assert.ok((issue?.column ?? 0) >= 1);
      assert.match(issue?.message ?? '', text);
      assert.equal((await service.get<KindView>(`/v1/kinds/${name}`)).body.reason, 'COMPOSE_INVALID');
    }
  });

  test('an image that is retagged while the service runs is reported, and the pinned one is used', async () => {
    assert.equal((await service.post('/v1/subjects/retagged/reset')).status, 200);
    const image = () => docker('inspect', '-f', '{{.Image}}', `${prefix}retagged-a-1`);
    const pinned = image();
    docker('tag', 'subjectd/redis:8', 'subjectd-test/retagged:1');
    const reset = await service.post<ResetResult>('/v1/subjects/retagged/reset');
    assert.equal(reset.status, 200, JSON.stringify(reset.body));
    assert.ok(
      reset.body.notes.some((n) => n.includes('subjectd-test/retagged:1 is now another one')),
      JSON.stringify(reset.body.notes),
    );
    assert.equal(image(), pinned);
  });

  test('a compose file that is edited while the service runs is reported, not used', async () => {
    cpSync(join(root, 'subjects/etcd/compose.yaml'), join(kinds, 'oneshot', 'compose.yaml'));
    const reset = await service.post<ResetResult>('/v1/subjects/oneshot/reset');
    assert.equal(reset.status, 200, JSON.stringify(reset.body));
    assert.ok(
      reset.body.notes.some((n) => n.includes('compose file changed')),
      JSON.stringify(reset.body.notes),
    );
  });

  test('another copy of a kind has its own project and its own ports, and goes without residue', async () => {
    const made = await service.post<SubjectView>('/v1/subjects', { kind: 'etcd' });
    assert.deepEqual([made.status, made.body.name, made.body.phase], [201, 'etcd-1', 'absent'], JSON.stringify(made.body));
    const { status } = await service.post('/v1/subjects/etcd-1/reset');
    assert.equal(status, 200);
    const more = await Promise.all([1, 2, 3].map(() => service.post<SubjectView>('/v1/subjects', { kind: 'etcd' })));
    assert.equal(
      new Set(more.flatMap((m) => m.body.endpoints.flatMap((e) => e.outside ?? []))).size,
      9,
      'copies made at once have ports of their own',
    );
    for (const m of more) assert.equal((await service.delete(`/v1/subjects/${m.body.name}`)).status, 200);
    const [first, second] = [(await service.get<SubjectView>(at)).body, (await service.get<SubjectView>('/v1/subjects/etcd-1')).body];
    const ports = (s: SubjectView) => s.endpoints.flatMap((e) => e.outside ?? []);
    assert.equal(new Set([...ports(first), ...ports(second)]).size, ports(first).length + ports(second).length);
    const same = await service.post<ProblemReply>('/v1/subjects', { kind: 'etcd', name: 'etcd-1' });
    assert.deepEqual([same.status, same.body.code], [409, 'subject_exists']);
    assert.equal((await service.delete('/v1/subjects/etcd-1')).status, 200);
    assert.deepEqual(leftovers(`${prefix}etcd-1`), []);
    assert.equal((await service.get('/v1/subjects/etcd-1')).status, 404);
  });

  test('names that do not exist, however odd, are 404 and change nothing', async () => {
    const before = ids();
    for (const name of [
      'nope',
      '..%2f..%2fetc',
      '%2e%2e',
      ';reboot',
      '$(reboot)',
      '`reboot`',
      'a'.repeat(3000),
      'etcd%00',
      'ETCD',
      '%20',
    ]) {
      const reply = await service.post<ProblemReply>(`/v1/subjects/${name}/reset`);
      assert.equal(reply.status, 404, `${name.slice(0, 20)}: ${reply.status}`);
    }
    assert.deepEqual(ids(), before);
  });
});

describe('the port that the service wants is taken', () => {
  test('one clear sentence and a non-zero exit', async () => {
    const holder = createServer();
    holder.listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    assert.ok(address !== null && typeof address !== 'string');
    const dataDir = mkdtempSync(join(tmpdir(), 'subjectd-port-'));
    try {
      const env = { PATH: process.env.PATH ?? '', ...testEnv, SUBJECTD_PORT: String(address.port), SUBJECTD_DATA_DIR: dataDir };
      const run = spawnSync(process.execPath, [join(root, 'dist/src/main.js')], { env, encoding: 'utf8', timeout: 60_000 });
      assert.equal(run.status, 1);
      assert.match(run.stderr, new RegExp(`^subjectd: Port ${address.port} on 127.0.0.1 is taken\\..*\\n$`));
    } finally {
      holder.close();
      rmSync(dataDir, { recursive: true });
    }
  });
});

describe('the engine goes away', () => {
  test('503 while it is away, and the service recovers by itself when it is back', async () => {
    const { CuttableSocket } = await import('./cuttable_socket.ts');
    const socket = await CuttableSocket.open(testEnv.SUBJECTD_PROJECT_PREFIX);
    const service = await Service.start({ DOCKER_HOST: socket.dockerHost });
    try {
      assert.equal((await service.post(`${at}/reset`)).status, 200);
      const fault = (await service.post<Fault>(`${at}/faults`, { chaos_type: 'node_kill' })).body;
      assert.equal(fault.state, 'active');

      await socket.cut();
      const ready = await service.get('/readyz');
      assert.equal(ready.status, 503);
      const reset = await service.post<ProblemReply>(`${at}/reset`);
      assert.deepEqual([reset.status, reset.body.code], [503, 'engine_unavailable']);
      const inject = await service.post<ProblemReply>(`${at}/faults`, { chaos_type: 'node_kill' });
      assert.deepEqual([inject.status, inject.body.code], [503, 'engine_unavailable']);
      const health = await service.get<HealthView>(`${at}/health?wait=healthy&timeout_ms=500`);
      assert.deepEqual([health.status, health.body.healthy], [200, false]);
      const healed = await service.delete<Fault>(`${at}/faults/${fault.id}`);
      assert.deepEqual([healed.body.state, healed.body.heal?.verdict], ['residue', 'unknown'], JSON.stringify(healed.body));

      await socket.mend();
      using limited = deadline('recovery', 60_000);
      const after = await until(
        async () => {
          const now = (await service.get<Fault>(`${at}/faults/${fault.id}`)).body;
          return now.state === 'healed' ? now : undefined;
        },
        100,
        limited,
      );
      assert.equal(after.heal?.verdict, 'clean');
      const well = await service.get<HealthView>(`${at}/health?wait=healthy&timeout_ms=30000`);
      assert.equal(well.body.healthy, true, JSON.stringify(well.body));
    } finally {
      await socket.mend();
      await service.close();
      await socket.close();
    }
  });
});
