import { randomUUID } from 'node:crypto';
import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { buildApp } from './app.ts';
import { Heartbeat } from './heartbeat.ts';
import { Metrics } from './metrics.ts';
import { RedisConnection } from './redis.ts';
import { readSettings, type Settings } from './settings.ts';
import { Store } from './store.ts';

const stopWithinMs = 800;

async function main(settings: Settings): Promise<void> {
  const logger = pino({ level: settings.logLevel, base: { node: settings.nodeId } });
  const instance = randomUUID();
  const node = { id: settings.nodeId, address: settings.address, startedAt: Date.now() - Math.round(process.uptime() * 1000), instance };

  const redis = new RedisConnection(
    { host: settings.redisHost, port: settings.redisPort, timeoutMs: settings.redisTimeoutMs },
    {
      up: () => {
        logger.info('Redis is there');
        heartbeat.beat();
      },
      down: (why) => logger.warn({ why }, 'Redis has gone'),
    },
  );
  const store = new Store(redis, { limit: settings.defaultLimit, window_ms: settings.defaultWindowMs }, instance);
  const metrics = new Metrics(settings.nodeId, redis);
  const heartbeat = new Heartbeat(store, node, (error) => {
    metrics.beatFailed();
    logger.debug({ err: error }, 'a heartbeat failed');
  });
  const app = buildApp({ store, heartbeat, metrics, node, logger });

  closeWithGrace({ delay: stopWithinMs, logger: false }, async ({ err, signal }) => {
    if (err) logger.error({ err }, 'stopping: the process failed');
    else logger.info({ signal }, 'stopping');
    await heartbeat.stop().catch((error: Error) => logger.warn({ why: error.message }, 'Redis was not told that this node leaves'));
    await app.close();
    redis.close();
  });
  await app.listen({ host: settings.host, port: settings.port });
  heartbeat.start();
}

try {
  await main(readSettings(process.env));
} catch (error) {
  process.stderr.write(`ratelimiter: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
