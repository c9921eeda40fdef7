/** One step into a JSON value: a member of an object, or an element of a list (by what identifies it there, or its place). */
export interface Segment {
  text: string;
  element: boolean;
}

export type Path = readonly Segment[];

const plain = /^[^."*\s]+$/;

/** Dotted; a step that would be taken for something else stands in quotes, as JSON. */
export function printPath(path: Path): string {
  return path.map(({ text }) => (plain.test(text) ? text : JSON.stringify(text))).join('.');
}

/** A pattern of an adapter: dotted names, `*` for any one step. It stands for what it names and all below. */
export function matches(path: Path, pattern: string): boolean {
  const steps = pattern.split('.');
  return steps.length <= path.length && steps.every((step, i) => step === '*' || step === path[i]?.text);
}

/** Is this what a name in `missing` stands for, or below it? Such a name may leave out which element of a list it means: then it means all. */
export function isMissing(path: Path, name: string): boolean {
  return under(path, name.split('.'));
}

function under(path: Path, steps: readonly string[]): boolean {
  const [step, ...later] = steps;
  if (step === undefined) return true;
  const [first, ...rest] = path;
  if (first === undefined) return false;
  return (first.text === step && under(rest, later)) || (first.element && under(rest, steps));
}
