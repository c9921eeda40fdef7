import { splitName } from './engine-api.mjs';

const IDLE_MS = 20_000;

/** Pulls images, and asks a registry that has failed once no more. */
export class Registries {
  #failed = new Map();

  /** Undefined when `name` has been pulled, else the reason why not. `totalMs` bounds the whole pull, 20 s each silence in it. */
  async pull(engine, name, { totalMs, signal, onStatus }) {
    const registry = registryOf(name);
    const before = this.#failed.get(registry);
    if (before) return before;
    try {
      await engine.pull(name, { idleMs: IDLE_MS, totalMs, signal, onStatus });
      return undefined;
    } catch (error) {
      const reason = `${registry}: ${error.message}`;
      // A registry that answers about one image may still have another.
      if (!/not found|unknown|denied|unauthorized|credentials|no matching manifest/i.test(error.message))
        this.#failed.set(registry, reason);
      return reason;
    }
  }
}

/** The registry's host of an image name: "docker.io" when the name has none. */
export function registryOf(name) {
  const [first, ...rest] = splitName(name).repository.split('/');
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : 'docker.io';
}
