import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { realFiles } from '../../src/compose/files.ts';
import { resolveText } from '../../src/compose/resolve.ts';
import { createEngine } from '../../src/engine/dockerode.ts';
import type { Adapter } from '../../src/kind/adapter.ts';
import { Checks } from '../../src/kind/check.ts';
import type { Subject } from '../../src/kind/subject.ts';
import { deadline } from '../../src/lib/until.ts';
import { BoundedVolumes } from '../../src/reset/bounded.ts';
import { ImagePins } from '../../src/reset/images.ts';
import { burnSubject, type ResetContext, resetSubject } from '../../src/reset/reset.ts';
import { parseRange, type Range } from '../../src/reset/subnet.ts';
import { ResidentToolbox } from '../../src/toolbox/resident.ts';
import { docker, leftovers, testEnv } from './service.ts';

const project = `${testEnv.SUBJECTD_PROJECT_PREFIX}keep`;
const network = `${project}_default`;
const text = `
x-node: &node
  image: subjectd/etcd:3.5
  entrypoint: [sleep, "600"]
  stop_grace_period: 0s
services:
  a: *node
  b: *node
`;

describe('a subject’s network at a reset', () => {
  const engine = createEngine();
  const owner = `own_${project}`;
  const context: ResetContext = {
    engine,
    owner,
    owners: { self: owner, dead: async () => [] },
    bounded: new BoundedVolumes(new ResidentToolbox(engine, { image: 'subjectd/toolbox:1', engineSocket: '/var/run/docker.sock' }, owner)),
    checks: new Checks(engine),
    pins: new ImagePins(engine),
    subnetPool: parseRange('10.213.0.0/16') as Range,
    onHost: true,
    self: null,
  };
  let subject: Subject;
  let generation = 0;
  const steps: string[] = [];
  const reset = async (beforeChange: () => Promise<void> = async () => {}) => {
    using limited = deadline('reset', 60_000);
    steps.length = 0;
    const hooks = { onStep: (step: { op: string }) => steps.push(step.op), beforeChange, prove: async () => {} };
    return resetSubject(context, subject, ++generation, hooks, limited);
  };
  const inspect = (format: string, name = network) => docker('network', 'inspect', '-f', format, name);
  const burn = async () => {
    using limited = deadline('burn', 60_000);
    await burnSubject(context, subject, { onStep: () => {}, beforeChange: async () => {} }, limited);
  };

  before(async () => {
    const resolved = await resolveText(text, { file: '/nowhere/compose.yaml', projectName: project, env: {}, files: realFiles });
    const adapter = { kind: 'keep', nodeTypes: { a: 'node', b: 'node' } } as unknown as Adapter;
    const kind = { name: 'keep', dir: '/nowhere', composeFile: '/nowhere/compose.yaml', adapter };
    subject = { name: 'keep', kind, project: resolved, portShift: 0 };
  });
  after(async () => {
    await burn();
    assert.deepEqual(leftovers(project), []);
    await engine.close();
  });

  test('stays the same when it is as it should be, with the same addresses and new containers', async () => {
    const seen = async () => ({
      id: inspect('{{.Id}}'),
      on: inspect('{{range $id, $c := .Containers}}{{$c.Name}} {{$c.IPv4Address}} {{end}}')
        .trim()
        .split(/(?<=\/24) /)
        .sort(),
      container: docker('inspect', '-f', '{{.Id}}', `${project}-a-1`),
    });
    await reset();
    assert.ok(steps.includes('network.create'));
    const first = await seen();
    await reset();
    assert.ok(steps.includes('network.keep') && !steps.includes('network.create'));
    const second = await seen();
    assert.deepEqual([second.id, second.on], [first.id, first.on]);
    assert.equal(second.on.length, 2);
    assert.notEqual(second.container, first.container);
  });

  test('is made anew when somebody made it otherwise', async () => {
    const labels = inspect('{{range $k, $v := .Labels}}{{$k}}={{$v}} {{end}}').trim().split(' ');
    const subnet = inspect('{{(index .IPAM.Config 0).Subnet}}');
    docker('rm', '-f', `${project}-a-1`, `${project}-b-1`);
    docker('network', 'rm', network);
    const wrong = docker('network', 'create', '--internal', '--subnet', subnet, ...labels.flatMap((l) => ['--label', l]), network);
    await reset();
    assert.ok(!steps.includes('network.keep'));
    assert.notEqual(inspect('{{.Id}}'), wrong);
    assert.deepEqual([inspect('{{.Internal}}'), inspect('{{(index .IPAM.Config 0).Subnet}}')], ['false', subnet]);
  });

  test('is made anew when somebody joined it after the look', async () => {
    const id = inspect('{{.Id}}');
    const stranger = docker(
      'run',
      '-d',
      '--network',
      'none',
      '--name',
      `${project}-stranger`,
      '--entrypoint',
      'sleep',
      'subjectd/etcd:3.5',
      '600',
    );
    try {
      docker('network', 'disconnect', 'none', stranger);
      await reset(async () => {
        docker('network', 'connect', network, stranger);
      });
      assert.ok(steps.includes('network.keep') && steps.includes('network.create'));
      assert.notEqual(inspect('{{.Id}}'), id);
      assert.equal(docker('inspect', '-f', '{{.State.Running}}', `${project}-a-1`, `${project}-b-1`, stranger), 'true\ntrue\ntrue');
    } finally {
      docker('rm', '-f', stranger);
    }
  });

  test('is made anew when it went after the look', async () => {
    await reset(async () => {
      docker('rm', '-f', `${project}-a-1`, `${project}-b-1`);
      docker('network', 'rm', network);
    });
    assert.ok(steps.includes('network.keep') && steps.includes('network.create'));
    assert.equal(inspect('{{len .Containers}}'), '2');
  });
});
