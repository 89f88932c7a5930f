import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

const refused: [statement: string, reason: RegExp][] = [
  ['let count = 0;', /`let` or `var`/],
  ['export var last: string | undefined;', /`let` or `var`/],
  ['const flows = new Map<string, object>();', /a mutable Map/],
  ['export const seen = new WeakSet<object>();', /a mutable WeakSet/],
  ['const table = new Uint32Array(256);', /a mutable Uint32Array/],
  ['const table: Uint32Array = new Uint32Array(256);', /a mutable Uint32Array/],
  ['const queue = [];', /a mutable array/],
  ['const names: string[] = ["a", "b"];', /a mutable array/],
  ['const options = { retries: 3 };', /a mutable object/],
  ['const options: { retries: number } = { retries: 3 } satisfies object;', /a mutable object/],
  ['const choice = process.env.X ? undefined : new Map();', /a mutable Map/],
  ['const cache = globalThis.cache ?? {};', /a mutable object/],
  ['const frozen = Object.freeze(new Map());', /does not freeze what is in a Map/],
  ['const frozen = Object.freeze({ waiting: [] });', /holds an empty container/],
  ['const frozen = Object.freeze([{ byPort: new Map() }]);', /a mutable Map/],
  ['const frozen = { byPort: new Map() } as const;', /holds a mutable Map/],
  ['const word = /\\w+/g;', /lastIndex/],
  ['const word = new RegExp("a", "y");', /lastIndex/],
  ['const count = (() => { let n = 0; return () => n++; })();', /cannot see/],
  ['const registry = makeRegistry();', /makeRegistry\(\)/],
  ['const keys = "a b".split(" ");', /split\(\)/],
  ['const server = new Server();', /a mutable Server/],
  ['export default { open: 0 };', /export default: a mutable object/],
  ['class Flow { static live = 0; }', /Flow\.live: a static field that is not readonly/],
  ['class Flow { static readonly all = new Set(); }', /Flow\.all: a mutable Set/],
  ['export const Flow = class { static #next = 1; };', /#next: a static field that is not readonly/],
  ['if (globalThis.x) { const inner = new Map(); globalThis.get = () => inner; }', /inner: a mutable Map/],
];

const allowed = [
  'const MTU = 1500;',
  'const FLAGS = 1 << 3 | -2;',
  'const NAME = `softnet:` + MTU;',
  'const later = MTU;',
  'export const KEY: unique symbol = Symbol.for("softnet:key");',
  'export const STATES = { open: 0, closed: 1, nested: { a: [1] } } as const;',
  'export const ORDER = ["a", "b"] as const satisfies readonly string[];',
  'export const ERRNO = Object.freeze({ EPERM: 1 });',
  'export const ROWS = Object.freeze([{ from: "LISTEN", to: "SYN-RECEIVED" }]);',
  'const names: readonly string[] = ["a"];',
  'const byName: ReadonlyMap<string, number> = new Map([["a", 1]]);',
  'const defaults: Readonly<{ a: number }> = { a: 1 };',
  'const started: number = measure();',
  'export const Route = defineService<object>({ name: "route", version: "1.0.0" });',
  'export const needs = one(Route);',
  'const utf8 = new TextEncoder();',
  'const word = /^\\w+$/i;',
  'export function f() { let n = 0; const seen = new Map(); return () => seen.set(n++, 1); }',
  'const g = () => { let n = 0; return n++; };',
  'export class Flow { count = 0; readonly children = new Set(); static readonly kind = "flow"; static of() { let x = 1; return x; } }',
  'declare let DEBUG: boolean;',
  'for (let i = 0; i < 3; i++) void i;',
  'export type T = { a: number }; export interface I { b: Map<string, string> }',
];

describe('no mutable state at module level', () => {
  let dir: string;
  let lines: string[];
  let status: number | null;

  const check = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'scripts/no-module-state.mjs'), ...args], { cwd: root, encoding: 'utf8' });

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'softnet-state-'));
    refused.forEach(([statement], index) => {
      writeFileSync(join(dir, `refused-${index}.ts`), `// The second line is what counts.\n${statement}\n`);
    });
    allowed.forEach((statement, index) => {
      writeFileSync(join(dir, `allowed-${index}.ts`), `${statement}\n`);
    });
    writeFileSync(join(dir, 'x.test.ts'), 'let tests = "may";\n');
    const result = check(dir);
    status = result.status;
    lines = result.stderr.trim().split('\n');
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  for (const [index, [statement, reason]] of refused.entries()) {
    it(`refuses ${statement}`, () => {
      const place = `${join(dir, `refused-${index}.ts`)}:2: `;
      const here = lines.filter((line) => line.startsWith(place));
      expect(here).toHaveLength(1);
      expect(here[0]).toMatch(reason);
    });
  }

  for (const [index, statement] of allowed.entries()) {
    it(`allows ${statement}`, () => {
      expect(lines.filter((line) => line.includes(`allowed-${index}.ts:`))).toEqual([]);
    });
  }

  it('leaves tests alone, and fails when something was refused', () => {
    expect(lines.filter((line) => line.includes('x.test.ts'))).toEqual([]);
    expect(status).toBe(1);
  });

  it('holds in this repository', () => {
    const result = check();
    expect(result.stderr).toBe('');
    expect(result.status).toBe(0);
  });
});
