import type { HttpAnswer } from '../../src/kind/adapter.ts';

/** A reply that was understood, or one clause for a person saying why there is none. `answered` tells a strange reply from none at all. */
export type Reply<T> = { ok: true; value: T } | { ok: false; why: string; answered: boolean };

/** Turns an answer of one of `requests` into its value. */
export type HttpReader<T> = (answer: HttpAnswer) => Reply<T>;

/** One member's view of itself. Ids are 64 bits wide and stay text. */
export interface Status {
  clusterId: string;
  memberId: string;
  /** Null: the member knows of none. */
  leaderId: string | null;
  term: number;
  revision: number;
  raftIndex: number;
  raftAppliedIndex: number;
  dbSizeBytes: number;
  dbSizeInUseBytes: number;
  version: string;
  learner: boolean;
  alarms: Alarm[];
}

export interface Alarm {
  memberId: string;
  /** `NOSPACE`, `CORRUPT`. */
  alarm: string;
}

export interface Member {
  id: string;
  /** Empty until the member has started once. */
  name: string;
  peerUrls: string[];
  clientUrls: string[];
  learner: boolean;
}

export interface Count {
  keys: number;
  /** Of the store when the keys were counted. */
  revision: number;
}

/** `/health`: a linearizable read went through (there is a leader and a majority), and no alarm is raised. */
export interface Quorum {
  healthy: boolean;
  /** Etcd's words, empty when healthy. */
  reason: string;
}

/** Reads `POST /v3/maintenance/status`. */
export function readStatus(answer: HttpAnswer): Reply<Status> {
  return read(answer, (body) => {
    const header = record(body.header, 'header');
    return {
      clusterId: id(header.cluster_id, 'cluster_id'),
      memberId: id(header.member_id, 'member_id'),
      leaderId: body.leader === undefined ? null : id(body.leader, 'leader'),
      term: integer(body.raftTerm, 'raftTerm'),
      revision: integer(header.revision, 'revision'),
      raftIndex: integer(body.raftIndex, 'raftIndex'),
      raftAppliedIndex: integer(body.raftAppliedIndex, 'raftAppliedIndex'),
      dbSizeBytes: integer(body.dbSize, 'dbSize'),
      dbSizeInUseBytes: integer(body.dbSizeInUse, 'dbSizeInUse'),
      version: text(body.version, 'version'),
      learner: body.isLearner === true,
      alarms: list(body.errors, 'errors').flatMap((line) => alarmIn(text(line, 'errors'))),
    };
  });
}

/** Reads `POST /v3/cluster/member/list`. */
export function readMembers(answer: HttpAnswer): Reply<Member[]> {
  return read(answer, (body) =>
    list(body.members, 'members').map((entry) => {
      const member = record(entry, 'members');
      return {
        id: id(member.ID, 'ID'),
        name: text(member.name ?? '', 'name'),
        peerUrls: list(member.peerURLs, 'peerURLs').map((url) => text(url, 'peerURLs')),
        clientUrls: list(member.clientURLs, 'clientURLs').map((url) => text(url, 'clientURLs')),
        learner: member.isLearner === true,
      };
    }),
  );
}

/** Reads `POST /v3/kv/range` with `count_only`. */
export function readCount(answer: HttpAnswer): Reply<Count> {
  return read(answer, (body) => ({
    keys: integer(body.count, 'count'),
    revision: integer(record(body.header, 'header').revision, 'revision'),
  }));
}

/** Reads `GET /health`; a 503 is an answer like any other. */
export function readQuorum(answer: HttpAnswer): Reply<Quorum> {
  return read(
    answer,
    (body) => {
      const health = text(body.health, 'health');
      if (health !== 'true' && health !== 'false') throw new Malformed(`health is ${JSON.stringify(health)}`);
      return { healthy: health === 'true', reason: text(body.reason ?? '', 'reason') };
    },
    [200, 503],
  );
}

class Malformed extends Error {}

function read<T>(answer: HttpAnswer, parse: (body: Record<string, unknown>) => T, statuses: number[] = [200]): Reply<T> {
  if (!answer.reached) return { ok: false, why: answer.why, answered: false };
  try {
    const body = record(json(answer.text), 'the body');
    if (!statuses.includes(answer.status)) throw new Malformed(typeof body.message === 'string' ? body.message : `HTTP ${answer.status}`);
    return { ok: true, value: parse(body) };
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, why: error.message, answered: true };
    throw error;
  }
}

function json(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    throw new Malformed(`not JSON: ${source.slice(0, 80)}`);
  }
}

function record(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Malformed(`${name} is no object`);
  return value as Record<string, unknown>;
}

// The gateway leaves out what is zero, empty or false.
function list(value: unknown, name: string): unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new Malformed(`${name} is no list`);
  return value;
}

function text(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new Malformed(`${name} is no text`);
  return value;
}

// The gateway writes every 64-bit number as text.
function id(value: unknown, name: string): string {
  if (typeof value !== 'string' || !/^[1-9][0-9]{0,19}$/.test(value)) throw new Malformed(`${name} is no id`);
  return value;
}

function integer(value: unknown, name: string): number {
  const number = value === undefined ? 0 : typeof value === 'string' && /^[0-9]+$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new Malformed(`${name} is no number that can be counted with`);
  return number;
}

// Go's text form of AlarmMember; `etcdserver: no leader` stands in the same list.
function alarmIn(line: string): Alarm[] {
  const match = /^memberID:(\d+) alarm:(\w+)/.exec(line);
  return match?.[1] && match[2] ? [{ memberId: match[1], alarm: match[2] }] : [];
}
