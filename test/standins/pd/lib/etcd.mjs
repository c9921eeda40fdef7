import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';

const clientPort = 2382;
const agent = new Agent({ keepAlive: true });
const base64 = (text) => Buffer.from(text).toString('base64');
const plain = (text) => Buffer.from(text ?? '', 'base64').toString();

/** Starts etcd as PD's member: the peer URL is PD's, the client port is private, and the client URL that members see is PD's. Dies with it. */
export function startEtcd(options) {
  const dataDir = join(options.dataDir, 'etcd');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const child = spawn(
    'etcd',
    [
      ...[`--name=${options.name}`, `--data-dir=${dataDir}`],
      ...[`--listen-peer-urls=${options.peerUrls}`, `--initial-advertise-peer-urls=${options.advertisePeerUrls}`],
      ...[`--listen-client-urls=http://127.0.0.1:${clientPort}`, `--advertise-client-urls=${options.advertiseClientUrls}`],
      ...[`--initial-cluster=${options.initialCluster}`, '--initial-cluster-token=pd-cluster'],
      // PD's own tick and election; without fsync, since only the process dies here and never the machine.
      ...['--heartbeat-interval=500', '--election-timeout=3000', '--unsafe-no-fsync', '--log-level=error'],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, GOMEMLIMIT: '64MiB' } },
  );
  child.on('error', (error) => stop(`etcd: ${error.message}`));
  child.on('exit', (code, signal) => stop(`etcd ended (${signal ?? code})`));
  return child;
}

function stop(why) {
  console.error(why);
  process.exit(1);
}

/** One request to the private port. Rejects after `timeoutMs`, which etcd needs: a write without a quorum waits. */
function http(method, path, body, timeoutMs) {
  return new Promise((resolve, reject) => {
    const call = request({ agent, host: '127.0.0.1', port: clientPort, path, method, timeout: timeoutMs }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => resolve({ status: answer.statusCode, text: Buffer.concat(chunks).toString() }));
      answer.on('error', reject);
    });
    call.on('timeout', () => call.destroy(new Error(`etcd ${path}: timeout`)));
    call.on('error', reject);
    call.end(body);
  });
}

async function call(path, body, timeoutMs = 3000) {
  const { status, text } = await http('POST', `/v3/${path}`, JSON.stringify(body), timeoutMs);
  if (status !== 200) throw new Error(`etcd ${path}: ${status} ${text.trim()}`);
  return JSON.parse(text);
}

/** etcd's /health as it is: status and text. */
export const health = () => http('GET', '/health', undefined, 30_000);

/** Resolves once etcd serves its client port, which it does only when it has joined a quorum. */
export async function joined() {
  for (;;) {
    const open = await http('GET', '/version', undefined, 1000).then(
      () => true,
      () => false,
    );
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Value of a key, or null. `local` reads this member's copy, which works without a quorum. */
export async function get(key, { local = false } = {}) {
  const { kvs = [] } = await call('kv/range', { key: base64(key), serializable: local });
  return kvs.length === 0 ? null : plain(kvs[0].value);
}

/** Values of all keys that start with the prefix. */
export async function list(prefix) {
  const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
  const { kvs = [] } = await call('kv/range', { key: base64(prefix), range_end: base64(end) });
  return kvs.map(({ value }) => plain(value));
}

export const put = (key, value) => call('kv/put', { key: base64(key), value: base64(value) });

/** Deletes the key if it still holds this value. */
export const remove = (key, value) =>
  call('kv/txn', {
    compare: [{ key: base64(key), target: 'VALUE', result: 'EQUAL', value: base64(value) }],
    success: [{ request_delete_range: { key: base64(key) } }],
  });

/** Writes the key if it is not there, bound to a lease or none. Answers whether it did. */
export async function create(key, value, lease) {
  const { succeeded = false } = await call('kv/txn', {
    compare: [{ key: base64(key), target: 'CREATE', result: 'EQUAL', create_revision: '0' }],
    success: [{ request_put: { key: base64(key), value: base64(value), ...(lease ? { lease } : {}) } }],
  });
  return succeeded;
}

export const grant = async (seconds) => (await call('lease/grant', { TTL: String(seconds) })).ID;
export const revoke = (lease) => call('lease/revoke', { ID: lease });

/** Renews a lease; false when it is gone. */
export async function keepAlive(lease) {
  const { result } = await call('lease/keepalive', { ID: lease }, 1500);
  return Number(result?.TTL ?? 0) > 0;
}

/** Members as this member knows them, without a quorum too; ids as BigInt. */
export async function members() {
  const { members: found } = await call('cluster/member/list', { linearizable: false });
  return found.map((member) => ({
    name: member.name ?? '',
    id: BigInt(member.ID),
    peerUrls: member.peerURLs ?? [],
    clientUrls: member.clientURLs ?? [],
  }));
}

/** This member's id, and the id of etcd's leader (null: none). */
export async function status() {
  const { header, leader } = await call('maintenance/status', {});
  return { self: BigInt(header.member_id), leader: leader && leader !== '0' ? BigInt(leader) : null };
}

export const transfer = (target) => call('maintenance/transfer-leadership', { targetID: String(target) });
