import fc from 'fast-check';

/** The same texts in every run: texts that both sides read are compared, so one that differs must not come and go. */
const seed = 20_240_401;

function texts(pieces: readonly string[], most: number, count: number): string[] {
  const text = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: most }).map((parts) => parts.join(''));
  return [...new Set(fc.sample(text, { numRuns: count, seed }))];
}

const open = (inside: string) => `\${${inside}`;

/** Variables, set and not, in every form, well-formed or not. */
export const variableTexts = texts(
  [
    ...['$', '$$', '{', '}', '${', ':-', '-', ':+', '+', ' ', 'a', '1', '_', '.', '"', "'", ':', '=', 'é', '(', ')', '\\'],
    ...['SET', 'EMPTY', 'UNSET', 'WITH_DOLLAR', '$SET'],
    ...[open('SET}'), open('WITH_DOLLAR}'), open('UNSET:-'), open('EMPTY:-'), open('SET:+'), open('EMPTY-'), open('EMPTY+')],
  ],
  12,
  2000,
);

/** Words, quotes and backslashes. */
export const commandTexts = texts(
  [' ', '  ', '\t', '\n', 'a', 'b', '"', "'", '\\', '=', '-', '$', '#', '*', '~', '{', '[', '!', 'é', '%'],
  14,
  2000,
);

/** Numbers and what looks like numbers; none that YAML reads as its own syntax, or has a sign behind a base. */
export const scalarTexts = texts(
  [
    '0',
    '1',
    '7',
    '8',
    '9',
    '.',
    '-',
    '+',
    'e',
    'E',
    'x',
    'o',
    'b',
    '_',
    'a',
    'F',
    '0x',
    '0o',
    '0b',
    '00',
    '12',
    ':',
    '~',
    'true',
    'null',
    'no',
    'Y',
  ],
  6,
  3000,
).filter((text) => !/^[-?:]$|^-+$|:$|^:|0[bo][-+]/.test(text));

/** Ports, ranges and addresses. */
export const portTexts = texts(['80', '8', '1', '-', ':', '/', 'tcp', 'udp', '127.0.0.1', '[::1]', '0', '80-82', '90-92', 'TCP'], 6, 3000);

/** Numbers and units. */
export const sizeTexts = texts(['1', '5', '10', '.', 'k', 'm', 'g', 'K', 'M', 'b', 'B', 'i', ' ', 't'], 5, 3000);
export const durationTexts = texts(['1', '5', '10', '.', 'ms', 's', 'm', 'h', 'us', '1.5', '0'], 6, 3000);
