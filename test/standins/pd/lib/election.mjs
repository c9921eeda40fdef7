import * as etcd from './etcd.mjs';
import { pause } from './time.mjs';

const key = '/pd/leader';
const leaseSeconds = 5;

/** PD's election: whoever leads etcd writes the leader key under a five-second lease and renews it; everybody else reads it. */
export class Election {
  /** The leader this PD last saw: `{name, clientUrls}`. Kept while there is no quorum, since the key cannot go then. */
  leader = null;
  #self;
  #hooks;
  #lease = null;
  #loaded = false;
  /** When the lease was last known good, by the monotonic clock. */
  #renewed = 0n;

  /** `hooks.elected` is awaited before this PD serves; `hooks.tick` is called each second while it does. */
  constructor(self, hooks) {
    this.#self = self;
    this.#hooks = hooks;
  }

  /** This PD is the leader, has loaded its state, and holds a lease that cannot have run out, not even while the process was frozen. */
  get serving() {
    return this.#loaded && process.hrtime.bigint() - this.#renewed < BigInt(leaseSeconds) * 1_000_000_000n;
  }

  async run() {
    for (;;) {
      try {
        await this.#round();
      } catch (error) {
        console.error(`election: ${error.message}`);
        await pause(250);
      }
    }
  }

  /** Gives the leadership up: the key goes at once. */
  async resign() {
    const lease = this.#lease;
    this.#lease = null;
    this.#loaded = false;
    if (lease !== null) await etcd.revoke(lease);
  }

  async #round() {
    const held = await etcd.get(key, { local: true });
    this.leader = held === null ? null : JSON.parse(held);
    if (this.leader?.name === this.#self.name) {
      await etcd.remove(key, held); // left by this PD's own last run
    } else if (held === null && (await leadsEtcd())) {
      await this.#campaign();
    } else {
      await pause(200);
    }
  }

  async #campaign() {
    this.#renewed = process.hrtime.bigint();
    const lease = await etcd.grant(leaseSeconds);
    if (!(await etcd.create(key, JSON.stringify(this.#self), lease))) return;
    this.#lease = lease;
    try {
      await this.#hooks.elected();
      this.leader = this.#self;
      this.#loaded = true;
      console.log(`${this.#self.name} is the PD leader`);
      await this.#hold(lease);
    } finally {
      this.#loaded = false;
      console.log(`${this.#self.name} is no longer the PD leader`);
      if (this.#lease !== null) await this.resign();
    }
  }

  /** Returns when the lease is lost, given up, or etcd is led by another member. */
  async #hold(lease) {
    while (this.#lease === lease && this.serving) {
      const asked = process.hrtime.bigint();
      const kept = await etcd.keepAlive(lease).catch(() => null);
      if (kept === false) return;
      if (kept) this.#renewed = asked;
      if (kept && !(await leadsEtcd())) return;
      await this.#hooks.tick();
      await pause(1000);
    }
  }
}

async function leadsEtcd() {
  const { self, leader } = await etcd.status();
  return self === leader;
}
