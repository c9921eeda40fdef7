import { Type } from 'typebox';
import type { HealthView, StateView } from '../../control/api.ts';
import { anyObject, component, nullable, strict, time, words } from './types.ts';

export const HealthQuery = Type.Object(
  {
    fresh: Type.Optional(Type.Boolean({ default: false, description: 'Polls now instead of answering what the poller last saw.' })),
    wait: Type.Optional(words(['healthy'], { description: 'Answers when the subject is healthy, or when `timeout_ms` is over.' })),
    timeout_ms: Type.Optional(Type.Integer({ minimum: 0, maximum: 600_000, default: 60_000, description: 'Bounds `wait`.' })),
  },
  strict,
);

export const Health = component<HealthView>('Health')(
  Type.Object(
    {
      subject: Type.String(),
      healthy: Type.Boolean({ description: 'Proven by the containers and by the system itself.' }),
      has_issues: Type.Boolean(),
      nodes: Type.Array(
        Type.Object({
          id: Type.String(),
          name: Type.String(),
          type: Type.String(),
          health: words(['up', 'down', 'offline', 'unknown']),
          address: Type.String(),
        }),
      ),
      issues: Type.Array(Type.String(), { description: 'Sentences for people; empty when healthy.' }),
      details: anyObject({ description: 'More in the terms of the system.' }),
      last_updated: nullable(time(), { description: 'Null: not polled yet.' }),
    },
    { description: 'How a subject is.' },
  ),
);

export const State = component<StateView>('State')(
  Type.Object(
    {
      subject: Type.String(),
      kind: Type.String(),
      captured_at: time(),
      complete: Type.Boolean(),
      missing: Type.Array(Type.String(), { description: 'Dotted names of what could not be read.' }),
      state: anyObject({ description: 'In the terms of the system.' }),
    },
    { description: 'What a subject holds, as far as it could be read.' },
  ),
);
