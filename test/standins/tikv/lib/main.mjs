import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { flags } from './flags.mjs';
import { pdClient } from './pd.mjs';
import { serveData, serveStatus } from './status.mjs';
import { parseDuration, parseToml } from './toml.mjs';

const heartbeatKey = 'raftstore.pd-store-heartbeat-tick-interval';
const retryMs = 300;

const { options, config, tickMs } = orExit(() => {
  const parsed = flags(process.argv.slice(2));
  const toml = parsed.config === null ? {} : parseToml(readFileSync(parsed.config, 'utf8'));
  return { options: parsed, config: toml, tickMs: parseDuration(toml[heartbeatKey] ?? '10s') };
});
if (options.version) {
  console.log('Release Version: v8.5.5 (stand-in)');
  process.exit(0);
}
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));

const call = pdClient(options.endpoints);
let heartbeats = 0;
const id = await storeId();
await register();
serveStatus(options.statusAddr, config, () => `# TYPE standin_tikv_heartbeats counter\nstandin_tikv_heartbeats ${heartbeats}\n`);
serveData(options.addr);
console.log(`store ${id} is registered as ${options.advertiseAddr}, heartbeat every ${tickMs} ms`);

// The tick is armed at the start: the first heartbeat comes one whole interval later.
for (;;) {
  await pause(tickMs);
  try {
    const { status, body } = await call(`/standin/heartbeat/${id}`, { capacity: '10GiB', available: '9.9GiB', usedSize: '1MiB' });
    if (status === 200) heartbeats++;
    else console.error(`heartbeat: ${status} ${body}`);
  } catch (error) {
    console.error(`heartbeat: ${error.message}`);
  }
}

/** The id this data directory has, or a new one from PD, kept before it is used. */
async function storeId() {
  const file = join(options.dataDir, 'store-id');
  mkdirSync(options.dataDir, { recursive: true });
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  const { body } = await persistently(() => call('/standin/id', {}));
  writeFileSync(`${file}.new`, String(body.id));
  renameSync(`${file}.new`, file);
  return body.id;
}

async function register() {
  const startTimestamp = Math.floor(Date.now() / 1000);
  const { advertiseAddr: address, advertiseStatusAddr: statusAddress } = options;
  const fields = { id, address, statusAddress, version: '8.5.5', gitHash: 'standin', startTimestamp };
  const { status, body } = await persistently(() => call('/standin/store', fields));
  if (status !== 200) {
    console.error(`register: ${body}`);
    process.exit(1);
  }
}

/** Until PD answers, as TiKV does. */
async function persistently(work) {
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries % 10 === 0) console.error(`PD: ${error.message}`);
      await pause(retryMs);
    }
  }
}

function orExit(work) {
  try {
    return work();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
