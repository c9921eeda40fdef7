import { setTimeout as delay } from 'node:timers/promises';
import { engineAddress } from './address.mjs';
import { aptInstall, whyNoInstall } from './apt.mjs';
import { which } from './command.mjs';
import { dockerdIsAlive, startDockerd } from './dockerd.mjs';
import { EngineApi } from './engine-api.mjs';
import { SetupError } from './setup-error.mjs';

const PACKAGES = ['docker.io', 'containerd', 'runc', 'iptables', 'iproute2', 'mmdebstrap'];
const START_MS = 90_000;

/**
 * Answers an EngineApi that answers: the engine of DOCKER_HOST or the default socket; else, where DOCKER_HOST names none, one that is
 * started, or installed and started, here. A SetupError with the way out otherwise.
 */
export async function ensureEngine(progress, env = process.env) {
  const address = engineAddress(env);
  const engine = new EngineApi(address.options);
  await progress.step('engine', async (note) => {
    const reason = await whySilent(engine);
    let how = 'answers';
    if (reason) {
      if (address.given) {
        throw new SetupError(
          `DOCKER_HOST is ${address.shown}, but no engine answers there (${reason}): start that one, or unset DOCKER_HOST to use the default.`,
        );
      }
      how = await bringUp(engine, reason, note);
    }
    const { Version, ApiVersion } = await engine.version();
    return `Docker ${Version} (API ${ApiVersion}) ${how} at ${address.shown}`;
  });
  return engine;
}

async function bringUp(engine, reason, note) {
  if (reason === 'EACCES') {
    throw new SetupError(
      'no right to use the Docker engine of this machine: run this as root, or add your user to the group "docker" and log in again.',
    );
  }
  let installed = false;
  if (!which('dockerd')) {
    const why = whyNoInstall();
    if (why) {
      throw new SetupError(
        `no Docker engine answers and none can be installed because ${why}: install and start Docker, or name an engine with DOCKER_HOST.`,
      );
    }
    await aptInstall(PACKAGES, note);
    installed = true;
  }
  if (process.getuid?.() !== 0) {
    throw new SetupError(
      'Docker is installed but not running, and only root may start it: start it (sudo systemctl start docker), or name an engine with DOCKER_HOST.',
    );
  }
  note('starting dockerd', true);
  const deadline = performance.now() + START_MS;
  const alive = dockerdIsAlive();
  const daemon = alive ? { ended: () => undefined, log: () => [] } : await startDockerd();
  while (await whySilent(engine)) {
    // One that somebody else started in the same moment makes ours end; it is as good as ours.
    const ended = daemon.ended();
    if (ended && !dockerdIsAlive())
      throw new SetupError(`the Docker engine did not start (${ended}): see its last lines above.`, daemon.log());
    if (performance.now() > deadline) {
      throw new SetupError(
        `the Docker engine did not answer within ${START_MS / 1000} s of its start: see its last lines above.`,
        daemon.log(),
      );
    }
    await delay(100);
  }
  return installed ? 'was installed, started and answers' : alive ? 'had just been started and answers' : 'was started and answers';
}

async function whySilent(engine) {
  try {
    await engine.ping();
    return undefined;
  } catch (error) {
    return error.code ?? error.message;
  }
}
