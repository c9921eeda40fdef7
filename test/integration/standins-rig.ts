import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Project, Service } from '../../src/compose/model.ts';
import { resolveProject } from '../../src/compose/resolve.ts';
import { createEngine } from '../../src/engine/dockerode.ts';
import type { HttpAnswer, Node, Role, SystemHealth, SystemState, Toolkit } from '../../src/kind/adapter.ts';
import { Reach } from '../../src/kind/toolkit.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { deadline, until } from '../../src/lib/until.ts';
import { adapter } from '../../subjects/tikv/adapter.ts';

const labels = { 'io.subjectd.test': 'standins' };
/** Long enough that the time between a start and the first heartbeat can be looked into. */
const heartbeat = '4s';

/** The kind's own compose file on the stand-in images, in containers, volumes and a network of a random name. No port is published. */
export class Rig {
  readonly name = `standins-${randomBytes(4).toString('hex')}`;
  readonly #engine = createEngine();
  readonly #reach = new Reach(this.#engine, systemClock);
  readonly #signal: AbortSignal;
  #project: Project | null = null;
  #network: string | null = null;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Makes everything and starts nothing. */
  async create(): Promise<void> {
    const file = fileURLToPath(new URL('../../subjects/tikv/compose.yaml', import.meta.url));
    const env = {
      PD_IMAGE: process.env.PD_IMAGE ?? 'subjectd-standin/pd:test',
      TIKV_IMAGE: process.env.TIKV_IMAGE ?? 'subjectd-standin/tikv:test',
      TIKV_STORE_HEARTBEAT: heartbeat,
    };
    this.#project = await resolveProject({ file, projectName: this.name, env });
    this.#network = await this.#engine.createNetwork({ Name: this.name, Labels: labels }, this.#signal);
    await Promise.all(this.#project.services.map((service) => this.#create(service)));
  }

  /** Takes away all that it made, whatever happened before. */
  async remove(): Promise<void> {
    const signal = AbortSignal.timeout(60_000);
    await this.#reach.close();
    const mine = (await this.#engine.listContainers(['io.subjectd.test=standins'], signal)).filter(({ name }) =>
      name.startsWith(this.name),
    );
    await Promise.all(mine.map(({ id }) => this.#engine.removeContainer(id, signal)));
    await Promise.all((this.#project?.services ?? []).map(({ name }) => this.#engine.removeVolume(`${this.name}-${name}`, signal)));
    if (this.#network !== null) await this.#engine.removeNetwork(this.#network, signal);
    await this.#engine.close();
  }

  async start(...nodes: string[]): Promise<void> {
    await Promise.all(nodes.map((node) => this.#engine.startContainer(this.#container(node), this.#signal)));
  }

  /** SIGKILL, and the container is seen to have exited. */
  async kill(...nodes: string[]): Promise<void> {
    await Promise.all(nodes.map((node) => this.#engine.killContainer(this.#container(node), 'SIGKILL', this.#signal)));
    await this.until('they are dead', async () => {
      const states = await this.nodes();
      return nodes.every((name) => states.some((node) => node.name === name && !node.running)) ? true : undefined;
    });
  }

  /** Stops the processes where they are, for the engine and for everybody else: they hold their connections and answer nothing. */
  async freeze(node: string): Promise<void> {
    await this.#engine.pauseContainer(this.#container(node), this.#signal);
  }

  async thaw(node: string): Promise<void> {
    await this.#engine.unpauseContainer(this.#container(node), this.#signal);
  }

  /** The nodes as they are now. */
  async nodes(): Promise<Node[]> {
    return await Promise.all(
      Object.entries(adapter.nodeTypes).map(async ([name, type]) => {
        const detail = await this.#engine.inspectContainer(this.#container(name), this.#signal);
        assert(detail, `${name} has no container`);
        const running = detail.state === 'running';
        const container = { container: detail.name, containerId: detail.id };
        return {
          name,
          type,
          ...container,
          running,
          startedAt: detail.startedAt,
          address: running ? (detail.networks[0]?.ipv4 ?? null) : null,
        };
      }),
    );
  }

  async toolkit(): Promise<Toolkit> {
    return this.#reach.toolkit(this.name, await this.nodes(), {});
  }

  async health(): Promise<SystemHealth> {
    return await adapter.health(await this.toolkit(), this.#signal);
  }

  async state(): Promise<SystemState> {
    return await adapter.state(await this.toolkit(), this.#signal);
  }

  async roles(): Promise<Role[]> {
    return await adapter.roles(await this.toolkit(), this.#signal);
  }

  /** One request to a node as anybody may send it. */
  async ask(
    name: string,
    path: string,
    options: { timeoutMs?: number; method?: 'POST' | 'PUT'; body?: string; port?: number } = {},
  ): Promise<HttpAnswer> {
    const toolkit = await this.toolkit();
    const node = toolkit.nodes.find((each) => each.name === name);
    assert(node);
    const { port = 2379, ...rest } = options;
    return await toolkit.http(node, port, path, { timeoutMs: 10_000, ...rest }, this.#signal);
  }

  /** Tries until there is an answer; two minutes at most. */
  async until<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
    using limit = deadline(what, 120_000, this.#signal);
    return await until(probe, 100, limit);
  }

  async #create(service: Service): Promise<void> {
    const id = await this.#engine.createContainer(
      this.#container(service.name),
      {
        Image: service.image,
        ...(service.command === null ? {} : { Cmd: service.command }),
        Labels: labels,
        HostConfig: {
          NetworkMode: this.name,
          Mounts: service.mounts.map(({ target }) => ({ Type: 'volume', Source: `${this.name}-${service.name}`, Target: target })),
        },
        NetworkingConfig: { EndpointsConfig: { [this.name]: { Aliases: [service.name] } } },
      },
      this.#signal,
    );
    const files = service.configs.map(({ target: path, content, mode, uid, gid }) => ({ path, content, mode, uid, gid }));
    if (files.length > 0) await this.#engine.putFiles(id, files, this.#signal);
  }

  #container(node: string): string {
    return `${this.name}-${node}`;
  }
}
