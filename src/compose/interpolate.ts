/** Looks a variable up; undefined means that it is not set. */
export type Lookup = (name: string) => string | undefined;

/** What is wrong with a text's variables: `dollar` counts from 0 which `$` of the text it is about. */
export interface InterpolationError {
  dollar: number;
  message: string;
}

/**
 * Replaces `$$`, `$NAME`, `${NAME}` and the forms `:-`, `-`, `:?`, `?`, `:+`, `+`, whose words may hold variables themselves. A `$` that starts none
 * of these stays as it is. A variable that is not set and has no default is an error; Compose would take an empty text and go on.
 * A text without `$` comes back unchanged. When there are errors the text is not to be used.
 */
export function interpolate(text: string, lookup: Lookup): { text: string; errors: InterpolationError[] } {
  const state: State = { text, lookup, errors: [], dollars: 0, depth: 0 };
  const { value } = expand(state, 0, false, true);
  return { text: value, errors: state.errors };
}

interface State {
  text: string;
  lookup: Lookup;
  errors: InterpolationError[];
  dollars: number;
  depth: number;
}

const deepest = 50;

const bareName = /[A-Za-z_][A-Za-z0-9_]*/y;
const opening = /\{([A-Za-z_][A-Za-z0-9_]*)(:?[-?+]|\})/y;

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** Expands from `at` to the end, or inside braces to the one that closes them. Not `live`: a word that is not used, whose variables may be unset. */
function expand(state: State, at: number, inside: boolean, live: boolean): { value: string; end: number; closed: boolean } {
  const { text } = state;
  const parts: string[] = [];
  let braces = 0;
  let i = at;
  while (i < text.length) {
    const char = text.charAt(i);
    if (char === '$') {
      const step = variable(state, i, live);
      parts.push(step.value);
      i = step.end;
      continue;
    }
    if (inside && char === '{') braces += 1;
    if (inside && char === '}') {
      if (braces === 0) return { value: parts.join(''), end: i + 1, closed: true };
      braces -= 1;
    }
    const next = inside ? i + 1 : nextDollar(text, i);
    parts.push(text.slice(i, next));
    i = next;
  }
  return { value: parts.join(''), end: i, closed: !inside };
}

function nextDollar(text: string, from: number): number {
  const found = text.indexOf('$', from);
  return found < 0 ? text.length : found;
}

function variable(state: State, at: number, live: boolean): { value: string; end: number } {
  const { text, lookup } = state;
  const dollar = state.dollars;
  state.dollars += 1;
  const malformed = (message: string) => state.errors.push({ dollar, message });
  const missing = (message: string) => (live ? malformed(message) : undefined);
  if (text.charAt(at + 1) === '$') {
    state.dollars += 1;
    return { value: '$', end: at + 2 };
  }
  const bare = match(bareName, text, at + 1);
  if (bare) {
    const value = lookup(bare[0]);
    if (value === undefined) missing(unset(bare[0]));
    return { value: value ?? '', end: at + 1 + bare[0].length };
  }
  if (text.charAt(at + 1) !== '{') return { value: '$', end: at + 1 };
  const open = match(opening, text, at + 1);
  if (!open) {
    malformed(`this \${ names no variable; write \${NAME}, or $$ for a plain dollar sign`);
    return { value: '', end: at + 2 };
  }
  const [whole, name = '', operator = ''] = open;
  const value = lookup(name);
  const after = at + 1 + whole.length;
  if (operator === '}') {
    if (value === undefined) missing(unset(name));
    return { value: value ?? '', end: after };
  }
  const present = value !== undefined && (!operator.startsWith(':') || value !== '');
  const kind = operator.at(-1);
  const used = kind === '+' ? present : !present;
  if (state.depth >= deepest) {
    malformed(`variables are nested more than ${deepest} deep; flatten them`);
    return { value: '', end: text.length };
  }
  state.depth += 1;
  const word = expand(state, after, true, live && used);
  state.depth -= 1;
  if (!word.closed) malformed(`the brace after \${${name} is never closed; add the missing }`);
  if (kind === '?' && !present) missing(required(name, word.value));
  if (kind === '+') return { value: present ? word.value : '', end: word.end };
  return { value: present ? (value ?? '') : kind === '-' ? word.value : '', end: word.end };
}

function unset(name: string): string {
  return `the variable ${name} is not set and has no default; set it, or write \${${name}:-default}`;
}

function required(name: string, reason: string): string {
  return `the variable ${name} is required${reason === '' ? '' : `: ${reason}`}; set it`;
}
