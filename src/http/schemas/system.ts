import { Type } from 'typebox';
import { component, nullable, words } from './types.ts';

/** Answer of /healthz. */
export interface AliveView {
  status: 'ok';
  version: string;
}

export const Alive = component<AliveView>('Alive')(
  Type.Object({ status: words(['ok']), version: Type.String() }, { description: 'The process is alive and answers.' }),
);

/** Answer of /readyz. */
export interface ReadyView {
  ready: boolean;
  engine: boolean;
  ledger: boolean;
}

export const Ready = component<ReadyView>('Ready')(
  Type.Object(
    {
      ready: Type.Boolean(),
      engine: Type.Boolean({ description: 'The Docker engine answers.' }),
      ledger: Type.Boolean({ description: 'The ledger can be written.' }),
    },
    { description: 'Whether the service can do its work now.' },
  ),
);

/** Answer of / for programs. */
export interface IndexView {
  name: 'subjectd';
  version: string;
  links: Record<string, string>;
  subjects: SubjectLine[];
  /** Why there are no subjects to show; null when all is well. */
  problem: string | null;
}

/** A subject in one line. */
export interface SubjectLine {
  name: string;
  kind: string;
  phase: string;
  healthy: boolean;
  last_updated: string | null;
}

export const Index = component<IndexView>('Index')(
  Type.Object(
    {
      name: words(['subjectd']),
      version: Type.String(),
      links: Type.Unsafe<Record<string, string>>({ type: 'object', additionalProperties: { type: 'string' } }),
      subjects: Type.Array(
        Type.Object({
          name: Type.String(),
          kind: Type.String(),
          phase: Type.String(),
          healthy: Type.Boolean(),
          last_updated: nullable(Type.String()),
        }),
      ),
      problem: nullable(Type.String(), { description: 'Why the subjects cannot be shown.' }),
    },
    { description: 'Where to go from here.' },
  ),
);
