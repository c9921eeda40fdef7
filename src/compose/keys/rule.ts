/**
 * The subset, one table for each mapping of the file format. docs/compose-subset.md shows the same tables; a test keeps the two equal.
 * `yes`: as in Compose. `limited`: with the limits in the note. `ignored`: accepted, without effect. `refused`: an error that gives the note as the way out.
 */
export interface KeyRule {
  support: 'yes' | 'limited' | 'ignored' | 'refused';
  note: string;
  /** The key may stand without a value. */
  empty?: true;
}

export type KeyTable = Readonly<Record<string, KeyRule>>;

export const yes = (note = ''): KeyRule => ({ support: 'yes', note });
export const limited = (note: string): KeyRule => ({ support: 'limited', note });
export const ignored = (note: string): KeyRule => ({ support: 'ignored', note });
export const refused = (note: string): KeyRule => ({ support: 'refused', note });
export const mayBeEmpty = (rule: KeyRule): KeyRule => ({ ...rule, empty: true });
