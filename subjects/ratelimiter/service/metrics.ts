import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RedisConnection } from './redis.ts';

export type Outcome = 'allowed' | 'refused' | 'unavailable';

/** What `/metrics` shows of a node. */
export class Metrics {
  readonly registry = new Registry();
  readonly #checks: Counter<'outcome'>;
  readonly #duration: Histogram;
  readonly #beatFailures: Counter;

  constructor(node: string, redis: RedisConnection) {
    const registers = [this.registry];
    this.registry.setDefaultLabels({ node });
    collectDefaultMetrics({ register: this.registry });
    this.#checks = new Counter({
      name: 'ratelimiter_checks_total',
      help: 'Checks by outcome.',
      labelNames: ['outcome'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'ratelimiter_check_duration_seconds',
      help: 'Time to decide a check, Redis included.',
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
      registers,
    });
    this.#beatFailures = new Counter({
      name: 'ratelimiter_heartbeat_failures_total',
      help: 'Heartbeats that Redis did not take.',
      registers,
    });
    new Gauge({
      name: 'ratelimiter_redis_up',
      help: '1 while the connection to Redis is up.',
      registers,
      collect() {
        this.set(redis.up ? 1 : 0);
      },
    });
    new Gauge({
      name: 'ratelimiter_redis_pending',
      help: 'Commands that wait for Redis.',
      registers,
      collect() {
        this.set(redis.pending);
      },
    });
    new Gauge({
      name: 'ratelimiter_redis_connection_failures',
      help: 'Connections to Redis lost or not achieved since the start.',
      registers,
      collect() {
        this.set(redis.failures);
      },
    });
  }

  check(outcome: Outcome, seconds: number): void {
    this.#checks.inc({ outcome });
    this.#duration.observe(seconds);
  }

  beatFailed(): void {
    this.#beatFailures.inc();
  }
}
