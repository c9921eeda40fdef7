import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { createEngine } from '../../src/engine/dockerode.ts';
import type { Fault } from '../../src/faults/fault.ts';
import { newId } from '../../src/lib/id.ts';
import { deadline, until } from '../../src/lib/until.ts';
import { ResidentToolbox } from '../../src/toolbox/resident.ts';
import { docker, leftovers, type ProblemReply, type Reply, root, Service, testEnv } from './service.ts';

const run = promisify(execFile);
const toolboxImage = 'subjectd/toolbox:1';

/** A fault, or the problem in its place: what an injection may answer. */
export type Answer = Reply<Fault & ProblemReply & { fault?: Fault; effect?: Fault['effect'] }>;

/** What of a node a fault could have changed. */
export type Snapshot = Record<string, { netns: string; cgroup: Record<string, string> }>;

export const kinds = `${root}/test/kinds`;

/** One subject, on a service and with a toolbox session of the test's own: the session looks at what the service did without asking it. */
export class Rig {
  readonly service: Service;
  readonly kind: string;
  readonly project: string;
  readonly at: string;
  readonly engine = createEngine();
  readonly toolbox: ResidentToolbox;

  private constructor(service: Service, kind: string, prefix: string) {
    this.service = service;
    this.kind = kind;
    this.project = `${prefix}${kind}`;
    this.at = `/v1/subjects/${kind}`;
    this.toolbox = this.#session(newId('own'));
  }

  /** A service of its own with the subject reset and healthy. */
  static async start(kind = 'trio', env: Record<string, string> = {}): Promise<Rig> {
    const service = await Service.start({ SUBJECTD_SUBJECTS_DIR: kinds, ...env });
    const rig = new Rig(service, kind, env.SUBJECTD_PROJECT_PREFIX ?? testEnv.SUBJECTD_PROJECT_PREFIX);
    await rig.reset();
    return rig;
  }

  #session(owner: string): ResidentToolbox {
    return new ResidentToolbox(this.engine, { image: toolboxImage, engineSocket: '/var/run/docker.sock' }, owner);
  }

  /** The service's id with the toolbox. */
  get owner(): string {
    return readFileSync(join(this.service.dataDir, 'owner'), 'utf8').trim();
  }

  /** Has the service counted as living until this is closed, so that other services of the engine leave alone what it has. */
  async keepAlive(): Promise<ResidentToolbox> {
    const session = this.#session(this.owner);
    using limited = deadline('session', 30_000);
    await session.call('owners', {}, limited);
    return session;
  }

  async reset(): Promise<void> {
    const reset = await this.service.post(`${this.at}/reset`);
    assert.equal(reset.status, 200, JSON.stringify(reset.body));
  }

  /** Tears all down and looks that nothing is left on the engine. */
  async close(): Promise<void> {
    await this.service.close();
    this.toolbox.close();
    await this.engine.close();
    assert.deepEqual(leftovers(this.project), []);
  }

  container(node: string): string {
    return `${this.project}-${node}-1`;
  }

  id(node: string): string {
    return docker('inspect', '--format', '{{.Id}}', this.container(node));
  }

  /** Node names and the ids of their containers, as the engine has them now. */
  containers(): Record<string, string> {
    const format = '{{.ID}} {{.Label "com.docker.compose.service"}}';
    const filter = `label=com.docker.compose.project=${this.project}`;
    const lines = docker('ps', '-a', '--no-trunc', '--filter', filter, '--format', format).split('\n');
    return Object.fromEntries(lines.filter((l) => l !== '').map((line) => line.split(' ').reverse() as [string, string]));
  }

  /** Waits for its turn while the service itself is at work on the subject. */
  async inject(body: Record<string, unknown>): Promise<Answer> {
    using limited = deadline('a turn', 60_000);
    return until(
      async () => {
        const answer: Answer = await this.service.post(`${this.at}/faults`, body);
        return answer.body.code === 'subject_busy' ? undefined : answer;
      },
      100,
      limited,
    );
  }

  /** Injects what must take hold: 201, confirmed with evidence, guarded. */
  async confirmed(body: Record<string, unknown>): Promise<Fault> {
    const { status, body: fault } = await this.inject(body);
    assert.equal(status, 201, JSON.stringify(fault));
    assert.equal(fault.effect?.verdict, 'confirmed', JSON.stringify(fault.effect));
    assert.ok((fault.effect?.evidence.length ?? 0) > 0);
    assert.deepEqual([fault.state, fault.guarded], ['active', true], JSON.stringify(fault));
    return fault;
  }

  async fault(id: string): Promise<Fault> {
    return (await this.service.get<Fault>(`${this.at}/faults/${id}`)).body;
  }

  /** Heals, whatever comes of it. */
  async heal({ id }: { id: string }): Promise<Fault> {
    using limited = deadline('a turn', 60_000);
    return until(
      async () => {
        const { status, body } = await this.service.delete<Fault & ProblemReply>(`${this.at}/faults/${id}`);
        if (body.code === 'subject_busy') return undefined;
        assert.equal(status, 200, JSON.stringify(body));
        return body;
      },
      100,
      limited,
    );
  }

  async healedClean(fault: { id: string }): Promise<Fault> {
    const healed = await this.heal(fault);
    assert.deepEqual([healed.state, healed.heal?.verdict, healed.heal?.residue], ['healed', 'clean', []], JSON.stringify(healed.heal));
    return healed;
  }

  /** Waits until a fault is as `right` says, and answers it. */
  async faultUntil(id: string, right: (fault: Fault) => boolean, ms = 60_000): Promise<Fault> {
    let last: Fault | undefined;
    using limited = deadline(`fault ${id}`, ms);
    try {
      return await until(
        async () => {
          last = await this.fault(id);
          return right(last) ? last : undefined;
        },
        50,
        limited,
      );
    } catch (error) {
      throw new Error(`not in time: ${JSON.stringify(last)}`, { cause: error });
    }
  }

  /** A command in a node; its output, or an error with what it said. */
  async exec(node: string, ...argv: string[]): Promise<string> {
    const { stdout } = await run('docker', ['exec', this.container(node), ...argv]);
    return stdout.trim();
  }

  /** PING from one node to another, over a new connection: true when it answers within about a second. */
  async pings(from: string, to: string): Promise<boolean> {
    return this.exec(from, 'timeout', '1.5', 'redis-cli', '-h', to, 'ping').then(
      (text) => text === 'PONG',
      () => false,
    );
  }

  /** What a fault could have changed, of every node that runs. */
  async snapshot(): Promise<Snapshot> {
    const containers = this.containers();
    const running = Object.entries(containers).filter(([, id]) => docker('inspect', '--format', '{{.State.Running}}', id) === 'true');
    using limited = deadline('snapshot', 30_000);
    const { containers: found } = await this.toolbox.call('snapshot', { container_ids: running.map(([, id]) => id) }, limited, 25_000);
    return Object.fromEntries(
      running.map(([node, id]) => [node, { netns: masked(found[id]?.netns ?? 'none'), cgroup: found[id]?.cgroup ?? {} }]),
    );
  }

  /** Whatever of any fault is in the nodes, by the toolbox. */
  async residue(): Promise<string[]> {
    using limited = deadline('audit', 30_000);
    const ids = Object.values(this.containers());
    const volumes = docker('volume', 'ls', '-q', '--filter', `label=com.docker.compose.project=${this.project}`).split('\n');
    const bounded = await this.toolbox.call('volume.list', {}, limited);
    const ours = bounded.volumes.map((v) => v.volume).filter((v) => volumes.includes(v));
    const { residue } = await this.toolbox.call('audit', { fault: null, container_ids: ids, volumes: ours }, limited);
    // What it finds outside of the containers may belong to other subjects of the engine.
    const mine = [...ids, ...ours];
    return residue.filter((r) => ids.includes(r.container_id) || mine.some((name) => r.what.includes(name))).map((r) => r.what);
  }

  /** Polls the snapshot until it is as it was: for what is undone without an answer. */
  async snapshotUntil(expected: Snapshot, ms: number): Promise<void> {
    let last: Snapshot | undefined;
    using limited = deadline('snapshot as before', ms);
    try {
      await until(
        async () => {
          last = await this.snapshot();
          return isDeepStrictEqual(last, expected) || undefined;
        },
        100,
        limited,
      );
    } catch {
      assert.deepEqual(last, expected);
    }
  }
}

/** The engine's resolver has other ports after each start. */
function masked(netns: string): string {
  return netns
    .split('\n')
    .map((line) => (line.includes('127.0.0.11') ? line.replaceAll(/\b\d{4,5}\b/g, 'N') : line))
    .join('\n');
}
