import { type ContainerCreate, type ContainerDetail, type Engine, EngineError } from '../engine/port.ts';
import { pause, until } from '../lib/until.ts';
import { ToolboxError } from './port.ts';

/** One on each engine, whoever asks for it. */
export const toolboxName = 'subjectd-toolbox';
const label = 'io.subjectd.toolbox';

/** Each with its reason in docker/toolbox/README.md. */
const capabilities = ['SYS_ADMIN', 'NET_ADMIN', 'NET_RAW', 'SYS_PTRACE', 'IPC_LOCK', 'KILL', 'DAC_OVERRIDE', 'FOWNER', 'MKNOD', 'SYS_NICE'];

/** What the toolbox is made of. */
export interface ToolboxSpec {
  image: string;
  /** The engine's own socket on its host, whatever way this service reaches it. */
  engineSocket: string;
  /** Of the container and of its volume; `toolboxName` when it is not given. */
  name?: string;
}

function body({ image, engineSocket, name = toolboxName }: ToolboxSpec): ContainerCreate {
  return {
    Image: image,
    Cmd: ['serve'],
    Labels: { [label]: '1' },
    HostConfig: {
      PidMode: 'host',
      CgroupnsMode: 'host',
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      CapAdd: capabilities,
      SecurityOpt: ['apparmor=unconfined', 'seccomp=unconfined', 'label=disable'],
      DeviceCgroupRules: ['b 7:* rwm', 'c 10:237 rwm'],
      RestartPolicy: { Name: 'always', MaximumRetryCount: 0 },
      Mounts: [
        { Type: 'bind', Source: engineSocket, Target: '/var/run/docker.sock' },
        { Type: 'bind', Source: '/sys/fs/cgroup', Target: '/sys/fs/cgroup' },
        { Type: 'bind', Source: '/dev', Target: '/host/dev' },
        { Type: 'tmpfs', Target: '/run', TmpfsOptions: { SizeBytes: 16 * 1024 * 1024 } },
        { Type: 'volume', Source: name, Target: '/var/lib/toolbox' },
      ],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '1m', 'max-file': '2' } },
    },
  };
}

/**
 * Has the toolbox running and answers its container's id: finds it, starts it, replaces it when it was made from another image than the one wanted now, makes it. Two services may do this at once: the
 * engine gives the name to one of them, and the other takes what is there. `mayReplace` is asked before a running one is replaced.
 */
export async function ensureToolbox(
  engine: Engine,
  spec: ToolboxSpec,
  mayReplace: (id: string) => Promise<boolean>,
  signal: AbortSignal,
): Promise<string> {
  const name = spec.name ?? toolboxName;
  const wanted = await engine.inspectImage(spec.image, signal);
  return until(
    async () => {
      const found = await engine.inspectContainer(name, signal);
      if (found === null) {
        if (wanted === null) {
          throw new ToolboxError(
            'unavailable',
            `the image ${spec.image} is not on the engine; run \`npm start\`, or build it from docker/toolbox`,
            'start',
          );
        }
        return make(engine, spec, signal);
      }
      if (found.labels[label] === undefined) {
        throw new ToolboxError('unavailable', `a container that is not the toolbox has its name, ${name}; rename or remove it`, 'start');
      }
      if (wanted !== null && found.imageId !== wanted.id && (found.state !== 'running' || (await mayReplace(found.id)))) {
        await engine.removeContainer(found.id, signal);
        return undefined;
      }
      return (await running(engine, found, signal)) ? found.id : undefined;
    },
    100,
    signal,
  );
}

async function make(engine: Engine, spec: ToolboxSpec, signal: AbortSignal): Promise<string | undefined> {
  try {
    const id = await engine.createContainer(spec.name ?? toolboxName, body(spec), signal);
    await engine.startContainer(id, signal);
    return id;
  } catch (error) {
    if (error instanceof EngineError && (error.reason === 'name_taken' || error.reason === 'conflict' || error.reason === 'not_found'))
      return undefined;
    throw error;
  }
}

/** False: look again, as it is about to change. */
async function running(engine: Engine, found: ContainerDetail, signal: AbortSignal): Promise<boolean> {
  switch (found.state) {
    case 'running':
      return true;
    case 'paused':
      await engine.unpauseContainer(found.id, signal);
      return true;
    case 'created':
    case 'exited':
      await engine.startContainer(found.id, signal).catch((error: unknown) => {
        if (!(error instanceof EngineError) || error.reason === 'unreachable' || error.reason === 'refused') throw error;
      });
      return false;
    case 'dead':
      await engine.removeContainer(found.id, signal);
      return false;
    case 'restarting':
    case 'removing':
      await pause(50, signal);
      return false;
  }
}
