import type { Effect } from '../fault.ts';

/**
 * Whether what is in use has risen by what the fault has added. The node's own work moves the level too, in both directions: a rise of four fifths, or of half when the level asked for is reached, is the fault's; less than half is not;
 * and what is added must be more than the node moves by itself (`least`), or it proves nothing.
 */
export function judgeRise(
  { added, rise, least }: { added: number; rise: number; least: number },
  level: 'reached' | 'about' | 'missed',
): Effect['verdict'] {
  if (!(added > 0)) return 'not_observed';
  if (added < least) return 'inconclusive';
  if (!(rise >= added * 0.5)) return 'not_observed';
  return level === 'reached' || (level === 'about' && rise >= added * 0.8) ? 'confirmed' : 'inconclusive';
}

/** A level in percent beside the one that was asked for. */
export function levelOf(percent: number, asked: number, tolerance: number): 'reached' | 'about' | 'missed' {
  if (percent >= asked) return 'reached';
  return percent >= asked - tolerance ? 'about' : 'missed';
}
