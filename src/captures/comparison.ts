import { canonicalJson } from '../compose/hash.ts';
import { type Capture, type CaptureSummary, summaryOf } from './capture.ts';
import { type Change, difference } from './diff.ts';
import type { Fingerprint } from './fingerprint.ts';

/** Two captures of a kind, compared. In the words and shape of the API. */
export interface Comparison {
  a: CaptureSummary;
  b: CaptureSummary;
  /** Both are of the same system: of each service that has a container in both, image and definition are the same. */
  comparable: boolean;
  /** Nodes and states differ in nothing but what is masked, and all could be read in both. */
  equal: boolean;
  /** How the fingerprints differ. */
  fingerprint: Change[];
  /** How nodes and states differ. */
  changes: Change[];
  /** Differences in what changes by itself, and, of two generations, in what is another after each reset. */
  masked: Change[];
  /** What could not be read in one of them, or in both. */
  unknown: string[];
}

/** Patterns of an adapter, for its state. */
export interface Masks {
  /** Changes by itself. */
  volatile?: readonly string[];
  /** Is another after each reset. */
  perGeneration?: readonly string[];
}

/** Paths are those in a capture: `nodes.…`, `state.…`. */
export function compare(a: Capture, b: Capture, masks: Masks): Comparison {
  const ofState = (names: readonly string[] = []) => names.map((name) => `state.${name}`);
  const unknown = ofState([...new Set([...a.missing, ...b.missing])].sort());
  const sameGeneration = a.subject === b.subject && a.generation === b.generation;
  const volatile = [...ofState(masks.volatile), ...(sameGeneration ? [] : ['nodes.*.started_at', ...ofState(masks.perGeneration)])];
  const held = ({ nodes, state }: Capture) => ({ nodes, state });
  const { changes, masked } = difference(held(a), held(b), { missing: unknown, volatile });
  return {
    a: summaryOf(a),
    b: summaryOf(b),
    comparable: sameSystem(a.fingerprint, b.fingerprint),
    equal: changes.length === 0 && unknown.length === 0,
    fingerprint: difference(a.fingerprint, b.fingerprint).changes,
    changes,
    masked,
    unknown,
  };
}

/** A container that somebody removed is a disturbance of the same system. */
function sameSystem({ system: a }: Fingerprint, { system: b }: Fingerprint): boolean {
  const names = Object.keys(a.services);
  if (a.kind !== b.kind || names.length !== Object.keys(b.services).length) return false;
  return names.every((name) => {
    const [one, other] = [a.services[name], b.services[name]];
    return one !== undefined && other !== undefined && (one === null || other === null || canonicalJson(one) === canonicalJson(other));
  });
}
