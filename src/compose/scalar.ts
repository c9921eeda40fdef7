/** What an unquoted YAML scalar means to Compose. */
export interface PlainScalar {
  value: string | number | boolean | null;
  text: string;
  odd: boolean;
}

const words = new Map<string, boolean | null>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word): [string, null] => [word, null]),
  ...['true', 'True', 'TRUE'].map((word): [string, boolean] => [word, true]),
  ...['false', 'False', 'FALSE'].map((word): [string, boolean] => [word, false]),
]);

const integer = /^([-+]?)(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const notFinite = /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const time = /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt][0-9:.]+(?:Z|[-+][0-9]{2}:[0-9]{2})|[ \t]+[0-9:.]+)?$/;

/**
 * Resolves an unquoted scalar by the rules of the YAML library that Compose uses (go-yaml v3), which are those of YAML 1.2 except that a
 * leading zero means octal, `_` may separate digits, and dates are times.
 */
export function resolvePlain(source: string): PlainScalar {
  const word = words.get(source);
  if (word !== undefined) return { value: word, text: word === null ? '' : String(word), odd: false };
  if (time.test(source) || notFinite.test(source)) return { value: source, text: source, odd: true };
  const digits = source.replaceAll('_', '');
  const whole = /^[-+0-9]/.test(source) ? integer.exec(digits) : null;
  if (whole) {
    const big = wholeNumber(whole[1] ?? '', whole[2] ?? '');
    if (big < 2n ** 64n && big >= -(2n ** 63n)) return { value: Number(big), text: big.toString(), odd: false };
  }
  if (/^[-+0-9]/.test(source) ? float.test(digits) : float.test(source)) {
    const value = Number(digits);
    if (!Number.isFinite(value)) return { value: source, text: source, odd: true };
    return { value, text: floatText(value), odd: false };
  }
  return { value: source, text: source, odd: false };
}

function wholeNumber(sign: string, magnitude: string): bigint {
  const octal = /^0[0-7]+$/.test(magnitude) ? `0o${magnitude.slice(1)}` : magnitude.toLowerCase();
  return sign === '-' ? -BigInt(octal) : BigInt(octal);
}

/** A float as Go's `%v` prints it: the shortest text, with an exponent below 1e-4 and from 1e+06 on. */
export function floatText(value: number): string {
  if (Object.is(value, -0)) return '-0';
  const [mantissa = '', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (value === 0 || (exponent >= -4 && exponent < 6)) return String(value);
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}
