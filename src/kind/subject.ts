import type { Project } from '../compose/model.ts';
import type { Kind } from './loader.ts';

/** One live copy of a kind, as far as it is decided without the engine. */
export interface Subject {
  readonly name: string;
  readonly kind: Kind;
  /** Resolved when the service started (or the copy was made): what every reset uses, whatever happens to the file meanwhile. */
  readonly project: Project;
  /** Added to every published host port. */
  readonly portShift: number;
}

/** The labels by which the service knows its own objects, beside Compose's. */
export const labels = {
  owner: 'io.subjectd.owner',
  subject: 'io.subjectd.subject',
  kind: 'io.subjectd.kind',
  node: 'io.subjectd.node',
  type: 'io.subjectd.type',
  generation: 'io.subjectd.generation',
  /** On a container: what it was made from, the same in every copy of the kind. */
  definition: 'io.subjectd.definition',
  /** On a container: the names of its volumes of limited size. On a volume: that it is one. */
  bounded: 'io.subjectd.bounded',
} as const;

/** Compose's own labels, so that its `ps`, `logs` and `down` work on a subject. */
export const composeLabels = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  network: 'com.docker.compose.network',
  volume: 'com.docker.compose.volume',
} as const;

/** Names of the subject's nodes, in the compose file's order. */
export function nodeNames(subject: Subject): string[] {
  return subject.project.services.map((s) => s.name).filter((name) => name in subject.kind.adapter.nodeTypes);
}
