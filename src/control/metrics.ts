import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const seconds = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 60, 120];

/** The service's own Prometheus metrics. */
export class Metrics {
  readonly registry = new Registry();
  readonly reset = new Histogram({
    name: 'subjectd_reset_seconds',
    help: 'Duration of successful resets, from request to proven healthy.',
    labelNames: ['kind'],
    buckets: seconds,
    registers: [this.registry],
  });
  readonly resetPhase = new Histogram({
    name: 'subjectd_reset_phase_seconds',
    help: 'Duration of the phases of successful resets.',
    labelNames: ['kind', 'phase'],
    buckets: seconds,
    registers: [this.registry],
  });
  readonly witnessed = new Histogram({
    name: 'subjectd_fault_witnessed_seconds',
    help: 'From the request of a fault to its witnessed effect.',
    labelNames: ['chaos_type', 'verdict'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.4, 0.6, 1, 2.5],
    registers: [this.registry],
  });
  readonly healed = new Histogram({
    name: 'subjectd_fault_healed_seconds',
    help: 'From the begin of a heal to its verdict.',
    labelNames: ['chaos_type', 'verdict'],
    buckets: seconds,
    registers: [this.registry],
  });
  readonly operations = new Counter({
    name: 'subjectd_operations_total',
    help: 'Ended operations.',
    labelNames: ['kind', 'state'],
    registers: [this.registry],
  });
  readonly poll = new Histogram({
    name: 'subjectd_health_poll_seconds',
    help: 'Duration of background health polls.',
    labelNames: ['kind'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [this.registry],
  });
  readonly healthy = new Gauge({
    name: 'subjectd_subject_healthy',
    help: '1 while the subject is proven healthy.',
    labelNames: ['subject'],
    registers: [this.registry],
  });
  readonly activeFaults = new Gauge({
    name: 'subjectd_faults_live',
    help: 'Faults of which something may be in the subject.',
    labelNames: ['subject'],
    registers: [this.registry],
  });
  readonly engineUp = new Gauge({
    name: 'subjectd_engine_up',
    help: '1 while the engine’s event stream is open.',
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry, prefix: 'subjectd_' });
  }
}
