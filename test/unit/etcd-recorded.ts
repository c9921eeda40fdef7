import { readFileSync } from 'node:fs';
import type { HttpAnswer, Node } from '../../src/kind/adapter.ts';
import type { HealthView } from '../../subjects/etcd/health.ts';
import { readCount, readMembers, readQuorum, readStatus } from '../../subjects/etcd/replies.ts';
import type { requests } from '../../subjects/etcd/requests.ts';
import type { StateView } from '../../subjects/etcd/state.ts';

export type Answers = Record<keyof typeof requests, HttpAnswer>;

/** What three real members of etcd 3.5.16 answered to every request of the adapter in one situation, each asked within 2 s. */
export interface Recorded {
  nodes: { name: string; running: boolean }[];
  answers: Record<string, Answers>;
}

/** Reads a recording, fresh each time: a test may edit it. */
export function recorded(name: string): Recorded {
  return JSON.parse(readFileSync(new URL(`./etcd-replies/${name}.json`, import.meta.url), 'utf8'));
}

/** The answers of one member, for a test that edits them. */
export function answersOf(recording: Recorded, node: string): Answers {
  const answers = recording.answers[node];
  if (!answers) throw new Error(`nothing recorded of ${node}`);
  return answers;
}

/** What the adapter makes of a recording. */
export function viewsOf(recording: Recorded): (HealthView & StateView)[] {
  return recording.nodes.map(({ name, running }) => {
    const answers = answersOf(recording, name);
    const status = readStatus(answers.status);
    return {
      node: node(name, running),
      status,
      members: readMembers(answers.members),
      quorum: readQuorum(answers.quorum),
      localCount: readCount(answers.localCount),
      count: status.ok && status.value.leaderId !== null ? readCount(answers.count) : null,
    };
  });
}

/** The text of an answer, replaced. */
export function withText(answer: HttpAnswer, edit: (text: string) => string): HttpAnswer {
  if (!answer.reached) throw new Error('a recorded answer is needed');
  return { ...answer, text: edit(answer.text) };
}

function node(name: string, running: boolean): Node {
  return {
    name,
    type: 'etcd',
    container: `etcd-${name}-1`,
    containerId: `id of ${name}`,
    running,
    startedAt: running ? 0 : null,
    address: running ? '192.0.2.1' : null,
  };
}
