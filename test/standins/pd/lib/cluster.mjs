import * as etcd from './etcd.mjs';
import { Regions } from './regions.mjs';
import { record } from './store.mjs';
import { nowNs, parseGoDuration } from './time.mjs';

const prefix = '/standin/store/';
const persistEvery = 300_000_000_000n;
const defaults = { 'max-store-down-time': '30m0s', 'max-replicas': 3 };

/** What the PD leader knows of the cluster. Records are in etcd; heartbeats are in this memory, and in etcd only every five minutes. */
export class Cluster {
  id = 0n;
  bootstrappedAt = null;
  stores = new Map();
  regions = new Regions([]);
  config = { ...defaults };
  #nextId = 1;
  #writing = Promise.resolve();

  /** Reads everything from etcd, as a new leader does: a heartbeat is as old as its last save. */
  async load() {
    await etcd.create(
      '/standin/cluster-id',
      String((BigInt(Math.floor(Date.now() / 1000)) << 32n) + BigInt(Math.floor(Math.random() * 2 ** 32))),
    );
    this.id = BigInt(await etcd.get('/standin/cluster-id'));
    this.bootstrappedAt = await etcd.get('/standin/bootstrapped');
    this.#nextId = Number((await etcd.get('/standin/next-id')) ?? 1);
    this.config = { ...defaults, ...JSON.parse((await etcd.get('/standin/config')) ?? '{}') };
    this.regions = new Regions(JSON.parse((await etcd.get('/standin/regions')) ?? '[]'));
    const stores = (await etcd.list(prefix)).map((text) => record(JSON.parse(text)));
    this.stores = new Map(stores.map((store) => [store.id, store]));
  }

  get maxDownNs() {
    return parseGoDuration(this.config['max-store-down-time']);
  }

  allocate() {
    return this.#inTurn(() => this.#allocate(1));
  }

  /** A store presents itself at its start. The first one ever bootstraps the cluster. Answers null, or why it is refused. */
  register(fields) {
    return this.#inTurn(async () => {
      const { id, address } = fields;
      const twin = [...this.stores.values()].find((store) => store.address === address && store.id !== id && store.state !== 2);
      if (twin) return `[PD:core:ErrStoreDuplicatedAddress]duplicated store address: ${address}, already registered by store ${twin.id}`;
      const known = this.stores.get(id);
      if (known?.state === 2) return `[PD:core:ErrStoreTombstone]The store:${id} has been removed`;
      const store = record({ ...known, ...fields, heartbeat: known ? String(known.heartbeat) : '0' });
      if (known) store.heartbeat = known.heartbeat;
      await this.#save(store);
      if (this.bootstrappedAt === null) {
        const at = String(nowNs());
        this.regions = Regions.first(id, await this.#allocate(10));
        await etcd.put('/standin/regions', JSON.stringify(this.regions.all));
        await etcd.put('/standin/bootstrapped', at);
        this.bootstrappedAt = at;
      }
      return null;
    });
  }

  /** Answers false for a store that never registered. */
  async heartbeat(id, status) {
    const store = this.stores.get(id);
    if (store === undefined) return false;
    store.heartbeat = nowNs();
    store.status = status;
    store.nodeState ||= 1;
    if (store.heartbeat - store.savedHeartbeat > persistEvery) await this.#inTurn(() => this.#save(store));
    return true;
  }

  /** Takes a store out of service. Answers null, or `{status, text}` as PD refuses it. */
  async remove(id) {
    const store = this.stores.get(id);
    if (store === undefined) return { status: 404, text: `[PD:core:ErrStoreNotFound]store ${id} not found` };
    if (store.state === 2) return { status: 410, text: `[PD:core:ErrStoreTombstone]The store:${id} has been removed` };
    const up = [...this.stores.values()].filter(({ state }) => state === 0).length;
    const need = this.config['max-replicas'];
    if (up - 1 < need) {
      const text = `[PD:core:ErrStoresNotEnough]can not remove store ${id} since the number of up stores would be ${up - 1} while need ${need}`;
      return { status: 400, text };
    }
    await this.#inTurn(() => this.#save(Object.assign(store, { state: 1, nodeState: 2 })));
    return null;
  }

  /** Each second on the leader: region leaders leave silent stores, replicas come to new ones. */
  async tick() {
    if (this.bootstrappedAt !== null && this.regions.follow([...this.stores.values()], nowNs(), this.config['max-replicas'])) {
      await this.#inTurn(() => etcd.put('/standin/regions', JSON.stringify(this.regions.all)));
    }
  }

  async configure(fields) {
    Object.assign(this.config, fields);
    await etcd.put('/standin/config', JSON.stringify(this.config));
  }

  async #allocate(count) {
    const id = this.#nextId;
    await etcd.put('/standin/next-id', String(id + count));
    this.#nextId = id + count;
    return id;
  }

  async #save(store) {
    const { status: _, heartbeat, savedHeartbeat: __, ...kept } = store;
    await etcd.put(`${prefix}${store.id}`, JSON.stringify({ ...kept, heartbeat: String(heartbeat) }));
    store.savedHeartbeat = heartbeat;
    this.stores.set(store.id, store);
  }

  /** One write after the other, so that two stores at once do not bootstrap twice. */
  #inTurn(work) {
    const turn = this.#writing.then(work);
    this.#writing = turn.catch(() => undefined);
    return turn;
  }
}
