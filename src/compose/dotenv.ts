import { interpolate, type Lookup } from './interpolate.ts';

/** An error in an env file; the line counts from 1. */
export interface EnvFileError {
  line: number;
  message: string;
}

const escapes: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '"': '"', '\\': '\\', $: '$$' };

/**
 * Parses an env file as Compose does: `NAME=value` lines, `#` comments, `export`, single quotes (literal), double quotes (escapes and variables, may
 * span lines), variables in unquoted values, and a bare `NAME` that takes its value from the environment (left out when it is not set there).
 * Variables see the environment first, then the lines above.
 */
export function parseEnvFile(text: string, environment: Lookup): { values: Map<string, string>; errors: EnvFileError[] } {
  const values = new Map<string, string>();
  const errors: EnvFileError[] = [];
  const lookup: Lookup = (name) => environment(name) ?? values.get(name);
  const source = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  let at = 0;
  let number = 1;
  let counted = 0;
  while (at < source.length) {
    const lineEnd = endOfLine(source, at);
    const line = source.slice(at, lineEnd);
    number += source.slice(counted, at).split('\n').length - 1;
    counted = at;
    const fail = (message: string) => errors.push({ line: number, message });
    const statement = /^\s*(?:export\s+)?([^\s=:#][^=:\n]*?)?\s*(?:([=:])[ \t]*|$)/.exec(line);
    const name = statement?.[1];
    if (/^\s*(?:#|$)/.test(line)) {
      at = lineEnd + 1;
    } else if (!statement || name === undefined || !/^[A-Za-z0-9_.\-[\]]+$/.test(name)) {
      fail('this is not NAME=value; correct the line, or put # before it');
      at = lineEnd + 1;
    } else if (statement[2] === undefined) {
      const value = environment(name);
      if (value !== undefined) values.set(name, value);
      at = lineEnd + 1;
    } else {
      const read = readValue(source, at + statement[0].length);
      at = read.end + 1;
      const { text: value, errors: wrong } = read.literal ? { text: read.raw, errors: [] } : interpolate(read.raw, lookup);
      for (const error of [...read.errors, ...wrong.map((w) => w.message)]) fail(error);
      values.set(name, value);
    }
  }
  return { values, errors };
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

function readValue(source: string, start: number): { raw: string; literal: boolean; end: number; errors: string[] } {
  const quote = source.charAt(start);
  if (quote !== "'" && quote !== '"') {
    const end = endOfLine(source, start);
    const raw = (source.slice(start, end).split(' #')[0] ?? '').trimEnd();
    return { raw, literal: false, end, errors: [] };
  }
  let raw = '';
  for (let i = start + 1; i < source.length; i++) {
    const char = source.charAt(i);
    if (char === quote) {
      const end = endOfLine(source, i);
      const rest = source.slice(i + 1, end).trim();
      const errors = rest === '' || rest.startsWith('#') ? [] : [`"${rest}" stands after the closing quote; remove it`];
      return { raw, literal: quote === "'", end, errors };
    }
    if (char === '\\' && i + 1 < source.length) {
      const next = source.charAt(i + 1);
      raw += quote === '"' ? (escapes[next] ?? `\\${next}`) : next === "'" ? "'" : `\\${next}`;
      i += 1;
    } else {
      raw += char;
    }
  }
  return { raw, literal: true, end: source.length, errors: ['the quote is never closed; close it'] };
}
