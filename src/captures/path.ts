/** One step into a JSON value: a member of an object, or an element of a list. */
export interface Segment {
  text: string;
  /** Of an element: all that names it, `text` among them. Null: it is no element. */
  names: readonly string[] | null;
}

export type Path = readonly Segment[];

const plain = /^[^."*\s]+$/;
/** A step in quotes, as JSON, or one that needs none. */
const steps = /(?<=^|\.)(?:"(?:[^"\\]|\\["\\/bfnrt])*"(?=\.|$)|[^.]*)/g;

/** Dotted; a step that would be taken for something else stands in quotes, as JSON. */
export function printPath(path: Path): string {
  return path.map(({ text }) => (plain.test(text) ? text : JSON.stringify(text))).join('.');
}

const quoted = /^".*"$/;

type Matcher = (segment: Segment) => boolean;

/** The dotted form, as a match for each step: `*` is any one, in quotes it is only a name. An element is known by any of its names. */
function parse(dotted: string): Matcher[] {
  return (dotted.match(steps) ?? []).map((step) => {
    if (step === '*') return () => true;
    const text = quoted.test(step) ? (JSON.parse(step) as string) : step;
    return (segment) => segment.text === text || (segment.names?.includes(text) ?? false);
  });
}

/** Answers for a path whether it is what one of the patterns names, or below it. */
export function anyPattern(patterns: readonly string[]): (path: Path) => boolean {
  const parsed = patterns.map(parse);
  return (path) => parsed.some((match) => match.length <= path.length && match.every((is, i) => is(path[i] as Segment)));
}

/**
 * Answers for a path whether it is what one of the names of `missing` stands for, or below it. Such a name may leave out which element of a list it means: then it
 * means all. Of a list of which it names an element, it is not known either which others are there (`entry`: whether the path's last step was found in one of two lists only).
 */
export function anyMissing(missing: readonly string[]): (path: Path, entry: boolean) => boolean {
  const parsed = missing.map(parse);
  return (path, entry) => parsed.some((match) => under(path, match) || (entry && besides(path, match)));
}

function under(path: Path, match: readonly Matcher[]): boolean {
  const [is, ...later] = match;
  if (is === undefined) return true;
  const [first, ...rest] = path;
  if (first === undefined) return false;
  return (is(first) && under(rest, later)) || (first.names !== null && under(rest, match));
}

function besides(path: Path, match: readonly Matcher[]): boolean {
  if (match.length !== path.length || path.at(-1)?.names === null) return false;
  return match.slice(0, -1).every((is, i) => is(path[i] as Segment));
}
