import { dirname } from 'node:path';
import type { Engine } from '../src/engine/port.ts';
import { peerName, prefix } from './names.ts';

const image = 'subjectd/compose-peer:1';
const socket = '/var/run/docker.sock';
/** Takes the time around a command where the command runs, so that going into the container is not counted. */
const stopwatch = 'began=$EPOCHREALTIME; "$@" >/dev/null; code=$?; ended=$EPOCHREALTIME; printf "%s %s" "$began" "$ended"; exit "$code"';
const untilExited = 'docker kill "$1" && until [ "$(docker inspect -f "{{.State.Status}}" "$1")" = exited ]; do :; done';

/** What subjectd is compared with: Debian's Compose and docker command, in one container that stays, with the engine's socket mounted. */
export class Peer {
  #engine: Engine;
  #id: string;
  #env: Record<string, string>;

  private constructor(engine: Engine, id: string, env: Record<string, string>) {
    this.#engine = engine;
    this.#id = id;
    this.#env = env;
  }

  /** Starts it with the files' folders at the same paths as here. `env` is what the files' variables are taken from. */
  static async start(engine: Engine, files: readonly string[], env: Record<string, string>, signal: AbortSignal): Promise<Peer> {
    const folders = [...new Set(files.map((file) => dirname(file)))];
    const id = await engine.createContainer(
      peerName,
      {
        Image: image,
        Entrypoint: ['sleep', 'infinity'],
        Labels: { 'io.subjectd.bench': 'peer' },
        HostConfig: {
          NetworkMode: 'none',
          Init: true,
          Mounts: [
            { Type: 'bind', Source: engineSocket(process.env.DOCKER_HOST), Target: socket },
            ...folders.map((folder) => ({ Type: 'bind' as const, Source: folder, Target: folder, ReadOnly: true })),
          ],
        },
      },
      signal,
    );
    await engine.startContainer(id, signal);
    return new Peer(engine, id, env);
  }

  /** Runs `docker compose` and answers how long it took, in milliseconds. Rejects with its last words when it fails. */
  compose(project: string, file: string, args: readonly string[], signal: AbortSignal): Promise<number> {
    if (!project.startsWith(prefix)) throw new Error(`${project} is no project of the bench`);
    return this.#timed(['docker', 'compose', '-p', project, '-f', file, ...args], signal);
  }

  /** `docker kill`, then `docker inspect` until it says `exited`; in milliseconds. */
  kill(container: string, signal: AbortSignal): Promise<number> {
    return this.#timed(['bash', '-c', untilExited, 'kill', container], signal);
  }

  /** Any command; in milliseconds. Rejects with its last words when it fails. */
  run(argv: readonly string[], signal: AbortSignal): Promise<number> {
    return this.#timed(argv, signal);
  }

  /** `docker start`; in milliseconds. */
  start(container: string, signal: AbortSignal): Promise<number> {
    return this.#timed(['docker', 'start', container], signal);
  }

  async version(signal: AbortSignal): Promise<string> {
    const { stdout } = await this.#engine.exec(this.#id, ['docker', 'compose', 'version', '--short'], signal);
    return stdout.trim();
  }

  async #timed(argv: readonly string[], signal: AbortSignal): Promise<number> {
    const env = { ...this.#env, LC_ALL: 'C' };
    const { exitCode, stdout, stderr } = await this.#engine.exec(this.#id, ['bash', '-c', stopwatch, 'bench', ...argv], signal, { env });
    if (exitCode !== 0) throw new Error(`${argv.join(' ')} ended with ${exitCode}: ${stderr.trim().slice(-1000)}`);
    const [began, ended] = stdout.split(' ').map(Number);
    if (began === undefined || ended === undefined || !(ended >= began)) throw new Error(`no times in ${JSON.stringify(stdout)}`);
    return (ended - began) * 1000;
  }
}

function engineSocket(dockerHost: string | undefined): string {
  if (dockerHost === undefined || dockerHost === '') return socket;
  if (dockerHost.startsWith('unix://')) return dockerHost.slice('unix://'.length);
  throw new Error('The bench needs the engine’s own socket: DOCKER_HOST must be a unix:// address, or unset.');
}
