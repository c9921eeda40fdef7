import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar,
  type YAMLError,
} from 'yaml';
import type { Issues, Place } from './issues.ts';
import { resolvePlain } from './scalar.ts';
import type { Entry, ListTree, MapTree, ScalarTree, Tree } from './tree.ts';

/** Bounds on what a file may expand to; far above any real compose file. */
const limits = { characters: 1024 * 1024, nodes: 100_000, depth: 50, syntaxErrors: 20 };

const plainTags = new Set(['map', 'seq', 'str', 'int', 'float', 'bool', 'null'].map((name) => `tag:yaml.org,2002:${name}`));

/** Parses one YAML document into a tree, or reports why not and answers null. Never throws. */
export function parse(text: string, issues: Issues): MapTree | null {
  const start = { line: 1, column: 1 };
  if (text.length > limits.characters) {
    issues.add(start, '', `the file is larger than ${limits.characters} characters; move large content into images or config files`);
    return null;
  }
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  // Merge keys, duplicate keys, aliases and plain scalars are resolved below: as Compose does it, with places, and in linear time.
  const documents = parseAllDocuments(text, {
    version: '1.2',
    lineCounter: lines,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
  });
  const [document, second] = 'empty' in documents ? [] : documents;
  if (document === undefined) {
    issues.add(start, '', 'the file is empty; declare at least one service under services:');
    return null;
  }
  if (document.errors.length > 0) {
    const deep = document.errors.filter((error) => error.code === 'RESOURCE_EXHAUSTION');
    const told = deep.length > 0 ? deep.slice(-1) : document.errors.slice(0, limits.syntaxErrors);
    for (const error of told) issues.add(place(error.pos[0]), '', syntaxMessage(error));
    return null;
  }
  if (second !== undefined) issues.add(place(second.range[0]), '', 'a second YAML document starts here; keep one document in the file');
  const tree = new Converter(text, document, place, issues).convert();
  if (tree.kind === 'map') return tree;
  if (tree.kind !== 'broken') issues.add(tree.at, '', 'the file must be a mapping with services: at its top');
  return null;
}

function syntaxMessage(error: YAMLError): string {
  if (error.code === 'RESOURCE_EXHAUSTION') return 'the YAML is nested too deeply; flatten it';
  return `not valid YAML: ${error.message}; correct the syntax here`;
}

class Converter {
  readonly #text: string;
  readonly #document: Document.Parsed;
  readonly #place: (offset: number) => Place;
  readonly #issues: Issues;
  readonly #anchors = new Map<string, { tree: Tree; nodes: number } | 'open'>();
  #nodes = 0;
  #stopped = false;

  constructor(text: string, document: Document.Parsed, place: (offset: number) => Place, issues: Issues) {
    this.#text = text;
    this.#document = document;
    this.#place = place;
    this.#issues = issues;
  }

  convert(): Tree {
    return this.#value(this.#document.contents, { line: 1, column: 1 }, '', 0);
  }

  #value(node: Node | null, fallback: Place, path: string, depth: number): Tree {
    if (node === null) return scalar(fallback, resolvePlain(''));
    const at = node.range ? this.#place(node.range[0]) : fallback;
    this.#nodes += 1;
    if (this.#nodes > limits.nodes || depth > limits.depth) return this.#stop(at, path, depth);
    if (isAlias(node)) return this.#alias(node.source, at, path, depth);
    if (node.tag !== undefined && !plainTags.has(node.tag)) return this.#fail(this.#tagPlace(node) ?? at, path, tagMessage(node.tag));
    const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
    const before = this.#nodes;
    if (anchor !== undefined) this.#anchors.set(anchor, 'open');
    const tree = this.#plain(node, at, path, depth);
    if (anchor !== undefined) this.#anchors.set(anchor, { tree, nodes: this.#nodes - before + 1 });
    return tree;
  }

  #plain(node: Node, at: Place, path: string, depth: number): Tree {
    if (isMap(node)) return this.#map(node.items as { key: Node; value: Node | null }[], at, path, depth);
    if (isSeq(node)) {
      const items = (node.items as (Node | null)[]).map((item, i) => this.#value(item, at, `${path}[${i}]`, depth + 1));
      return { kind: 'list', at, items } satisfies ListTree;
    }
    if (isScalar(node)) return this.#scalar(node, at);
    return this.#fail(at, path, 'this kind of YAML node has no meaning in a compose file; write it as plain text');
  }

  #alias(name: string, at: Place, path: string, depth: number): Tree {
    const target = this.#anchors.get(name);
    if (target === undefined)
      return this.#fail(at, path, `no anchor &${name} stands before this alias; define it above, or correct the name`);
    if (target === 'open') return this.#fail(at, path, `the alias *${name} stands inside its own anchor; take it out`);
    this.#nodes += target.nodes;
    return this.#nodes > limits.nodes ? this.#stop(at, path, depth) : target.tree;
  }

  #map(items: { key: Node; value: Node | null }[], at: Place, path: string, depth: number): Tree {
    const entries = new Map<string, Entry>();
    const merged: Tree[] = [];
    for (const { key, value } of items) {
      const keyAt = key.range ? this.#place(key.range[0]) : at;
      const keyTree = this.#value(key, keyAt, path, depth + 1);
      if (keyTree.kind === 'broken') continue;
      const merge = isScalar(key) && key.type === 'PLAIN' && key.source === '<<';
      const name = keyTree.kind === 'scalar' && typeof keyTree.value === 'string' && !keyTree.odd ? keyTree.value : null;
      if (name === null) {
        this.#issues.add(keyAt, path, 'a key must be text; put it in quotes');
        continue;
      }
      const below = path === '' ? name : `${path}.${name}`;
      const tree = this.#value(value, keyAt, below, depth + 1);
      const first = entries.get(name);
      if (merge) merged.push(tree);
      else if (first !== undefined)
        this.#issues.add(keyAt, below, `the key stands at line ${first.keyAt.line} already; keep one of the two`);
      else entries.set(name, { keyAt, value: tree });
    }
    for (const source of merged) this.#merge(entries, source, path, depth);
    return { kind: 'map', at, entries };
  }

  /** Keys of `<<`: what the mapping has itself wins, and of several sources the first. */
  #merge(entries: Map<string, Entry>, source: Tree, path: string, depth: number): void {
    if (source.kind === 'broken') return;
    if (source.kind === 'list' && depth < limits.depth) {
      for (const item of source.items) this.#merge(entries, item, path, limits.depth);
    } else if (source.kind === 'map') {
      for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry);
    } else {
      this.#issues.add(source.at, path, 'only a mapping, or a list of mappings, can be merged by <<; name an anchor of a mapping');
    }
  }

  #scalar(node: Scalar, at: Place): ScalarTree {
    const tag = node.tag?.replace('tag:yaml.org,2002:', '');
    const source = node.source ?? String(node.value ?? '');
    const written = tag === undefined ? node.type === 'PLAIN' : tag !== 'str';
    if (written) return scalar(at, resolvePlain(source), this.#dollars(node, source));
    const value = typeof node.value === 'string' ? node.value : source;
    return scalar(at, { value, text: value, odd: false }, this.#dollars(node, value));
  }

  /** A node's range starts after its tag. */
  #tagPlace(node: Node): Place | null {
    const bang = node.range ? this.#text.lastIndexOf('!', node.range[0]) : -1;
    if (bang < 0) return null;
    return this.#place(this.#text.charAt(bang - 1) === '!' ? bang - 1 : bang);
  }

  #dollars(node: Scalar, value: string): Place[] {
    if (!value.includes('$') || !node.range) return [];
    const raw = this.#text.slice(node.range[0], node.range[1]);
    const offsets = [...raw.matchAll(/\$/g)].map((match) => (node.range?.[0] ?? 0) + match.index);
    return offsets.length === value.split('$').length - 1 ? offsets.map(this.#place) : [];
  }

  #fail(at: Place, path: string, message: string): Tree {
    this.#issues.add(at, path, message);
    return { kind: 'broken', at };
  }

  #stop(at: Place, path: string, depth: number): Tree {
    if (!this.#stopped) {
      const what = depth > limits.depth ? `is nested more than ${limits.depth} levels deep` : `expands to more than ${limits.nodes} values`;
      this.#issues.add(at, path, `the file ${what}; make it smaller`);
    }
    this.#stopped = true;
    return { kind: 'broken', at };
  }
}

function scalar(at: Place, plain: { value: ScalarTree['value']; text: string; odd: boolean }, dollars: Place[] = []): ScalarTree {
  return { kind: 'scalar', at, ...plain, dollars };
}

function tagMessage(tag: string): string {
  if (tag === '!reset' || tag === '!override') return `${tag} only has a meaning in a file that overrides another; remove it`;
  return `the YAML tag ${tag.replace('tag:yaml.org,2002:', '!!')} is not supported; remove it`;
}
