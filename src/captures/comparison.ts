import { type Capture, type CaptureSummary, summaryOf } from './capture.ts';
import { type Change, difference } from './diff.ts';

/** Two captures of a kind, compared. In the words and shape of the API. */
export interface Comparison {
  a: CaptureSummary;
  b: CaptureSummary;
  /** Both are of the same system: their fingerprints have the same digest. */
  comparable: boolean;
  /** The nodes and the states differ in nothing but what changes by itself, and all could be read in both. */
  equal: boolean;
  /** How the fingerprints differ. */
  fingerprint: Change[];
  /** How the nodes differ. */
  nodes: Change[];
  /** How the states differ. */
  changes: Change[];
  /** Differences in what changes by itself. */
  masked: Change[];
  /** What could not be read in one of them, or in both. */
  unknown: string[];
}

/** `volatile`: the adapter's patterns of what changes by itself. */
export function compare(a: Capture, b: Capture, volatile: readonly string[]): Comparison {
  const unknown = [...new Set([...a.missing, ...b.missing])].sort();
  const { changes, masked } = difference(a.state, b.state, { missing: unknown, volatile });
  const nodes = difference(a.nodes, b.nodes).changes;
  return {
    a: summaryOf(a),
    b: summaryOf(b),
    comparable: a.fingerprint.digest === b.fingerprint.digest,
    equal: nodes.length === 0 && changes.length === 0 && unknown.length === 0,
    fingerprint: difference(a.fingerprint, b.fingerprint).changes,
    nodes,
    changes,
    masked,
    unknown,
  };
}
