import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { bench } from './bench.ts';
import { bytesPerOperation } from './heap.ts';
import { inChild } from './in-child.ts';
import { quietLoops } from './kernel/allocations.ts';
import { kernelSuite } from './kernel/suite.ts';
import type { Measure } from './rounds.ts';
import { selectWorks } from './selection.ts';
import { numberText } from './table.ts';
import type { Figures, Suite, Work } from './work.ts';

const inProcess: Measure = async (_work, subject) => subject.measure();

/** Gives these figures, one for each round. */
function givesInTurn(unit: string, ...values: number[]): () => Figures {
  return () => ({ [unit]: values.shift() ?? Number.NaN });
}

function ping(): Work {
  return {
    name: 'ping',
    summary: 'there and back',
    units: { ns: 'less' },
    note: 'goal 5 ns.',
    subjects: [
      { name: 'softnet', measure: givesInTurn('ns', 30, 10, 20) },
      { name: 'direct', measure: givesInTurn('ns', 8, 9, 10) },
      { name: 'lwip', lack: () => 'liblwip-dev is not installed: apt install it', measure: () => ({}) },
      {
        name: 'broken',
        measure: () => {
          throw new Error('it broke');
        },
      },
    ],
  };
}

function bulk(): Work {
  const units = { 'Gbit/s': 'more', 'Gbit/CPU-s': 'more' } as const;
  return { name: 'bulk', summary: 'much', units, subjects: [{ name: 'softnet', measure: () => ({ 'Gbit/s': 1, 'Gbit/CPU-s': 2 }) }] };
}

function suites(): Suite[] {
  return [
    { name: 'tiny', works: [ping()] },
    { name: 'path', works: [bulk(), { ...bulk(), name: 'bulk-loss' }] },
  ];
}

async function run(args: string[], of: readonly Suite[] = suites()): Promise<{ code: number; out: string[]; errors: string[] }> {
  const out: string[] = [];
  const errors: string[] = [];
  const code = await bench(args, of, inProcess, { out: (line) => out.push(line), error: (line) => errors.push(line) });
  return { code, out, errors };
}

describe('the bench command', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'softnet-bench-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('shows a table with medians, spread, ratios, and who is missing and why', async () => {
    const { code, out, errors } = await run(['ping', '--rounds', '3']);
    expect({ code, errors }).toEqual({ code: 0, errors: [] });
    const table = out.slice(1).filter((line) => !line.startsWith('Load average'));
    expect(table.map((line) => line.trimEnd())).toEqual([
      'work     subject  unit        median        min        max  ours ÷ it',
      '─'.repeat(69),
      'ping     softnet  ns ↓          20.0       10.0       30.0',
      '         direct   ns ↓          9.00       8.00       10.0       2.22',
      '',
      "↓ less is better, ↑ more is better; ns are of CPU. ours ÷ it: softnet's median over the peer's.",
      'ping: goal 5 ns.',
      'ping: lwip cannot run here: liblwip-dev is not installed: apt install it',
      'ping: broken failed: it broke',
    ]);
  });

  it('writes exactly the agreed JSON, several units of a work as rows of their own', async () => {
    const file = join(folder, 'bench.json');
    await run(['ping', 'bulk', '--rounds', '3', '--json', file]);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual([
      { work: 'ping', subject: 'softnet', unit: 'ns', median: 20, min: 10, max: 30, rounds: 3 },
      { work: 'ping', subject: 'direct', unit: 'ns', median: 9, min: 8, max: 10, rounds: 3 },
      { work: 'bulk', subject: 'softnet', unit: 'Gbit/s', median: 1, min: 1, max: 1, rounds: 3 },
      { work: 'bulk', subject: 'softnet', unit: 'Gbit/CPU-s', median: 2, min: 2, max: 2, rounds: 3 },
    ]);
  });

  it('measures the subjects in turn, each round beginning with another one', async () => {
    const order: string[] = [];
    const noted = (name: string): Figures => ({ ns: order.push(name) });
    const subjects = ['softnet', 'a', 'b'].map((name) => ({ name, measure: () => noted(name) }));
    await run(['--rounds', '3'], [{ name: 'tiny', works: [{ name: 'w', summary: '', units: { ns: 'less' }, subjects }] }]);
    expect(order.join(' ')).toBe('softnet a b a b softnet b softnet a');
  });

  it.each([
    [[], ['ping', 'bulk', 'bulk-loss']],
    [['path'], ['bulk', 'bulk-loss']],
    [
      ['bulk', 'ping'],
      ['ping', 'bulk'],
    ],
    [['bulk*'], ['bulk', 'bulk-loss']],
  ])('takes %j as %j', (names, works) => {
    expect(selectWorks(suites(), names).map(({ name }) => name)).toEqual(works);
  });

  it('says what there is when a name is unknown, and with --list', async () => {
    const { code, errors } = await run(['pong']);
    const list = 'tiny:\n  ping       there and back\npath:\n  bulk       much\n  bulk-loss  much';
    expect({ code, errors }).toEqual({ code: 2, errors: [`bench: no suite or work is named 'pong'; there are:\n${list}`] });
    expect((await run(['--list'])).out).toEqual([list]);
  });

  it.each([
    [['--rounds', '0'], /--rounds takes a whole number from 1, got '0'/],
    [['--rounds', 'x'], /--rounds takes/],
    [['--fast'], /--fast/],
    [['--json', '/nowhere/at/all.json'], /\/nowhere\/at\/all\.json/],
  ])('refuses %j before it measures anything', async (args, message) => {
    const { code, out, errors } = await run(args);
    expect({ code, out }).toEqual({ code: 2, out: [] });
    expect(errors.join()).toMatch(message);
  });

  it('ends with 1 when softnet failed, or gave other units than the work has', async () => {
    const work = { ...bulk(), subjects: [{ name: 'softnet', measure: () => ({ 'Gbit/s': 1 }) }] };
    const { code, out } = await run(['bulk'], [{ name: 'path', works: [work] }]);
    expect(code).toBe(1);
    expect(out.join('\n')).toContain('bulk: softnet failed: gave {"Gbit/s":1}, expected a number for each of: Gbit/s, Gbit/CPU-s');
  });

  it.each([
    [0, '0.00'],
    [0.0123, '0.012'],
    [9.996, '10.0'],
    [99.96, '100'],
    [12345.6, '12,346'],
  ])('writes %d as %s', (value, text) => expect(numberText(value)).toBe(text));
});

test('the suite kernel has works of distinct names, softnet in each, rows of 100 columns at most', async () => {
  const { works } = kernelSuite();
  expect(new Set(works.map(({ name }) => name)).size).toBe(works.length);
  for (const { subjects } of works) expect(subjects[0]!.name).toBe('softnet');
  const figures: Measure = async ({ units }) => Object.fromEntries(Object.keys(units).map((unit) => [unit, 12345.6]));
  const lines: string[] = [];
  await bench([], [kernelSuite()], figures, { out: (line) => lines.push(line), error: (line) => lines.push(line) });
  expect(lines.filter((line) => line.length > 100)).toEqual([]);
});

describe('a round in a process of its own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'softnet-bench-child-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function measureBy(program: string): Promise<Figures> {
    const entry = join(folder, 'entry.mjs');
    writeFileSync(entry, program);
    return inChild(entry)(ping(), ping().subjects[0]!);
  }

  it('is told what to measure, and answers with figures', async () => {
    const answer = `process.argv.slice(2).join(' ') === '--measure ping softnet' ? { figures: { ns: 3 } } : { error: 'other' }`;
    expect(await measureBy(`process.send(${answer});`)).toEqual({ ns: 3 });
  });

  it('says why it failed, or what the process said last', async () => {
    await expect(measureBy(`process.send({ error: 'it broke' });`)).rejects.toThrow('it broke');
    await expect(measureBy(`console.error('no such device'); process.exitCode = 3;`)).rejects.toThrow(
      'its process ended with 3: no such device',
    );
  });
});

describe('allocations per operation, once warm (a counter, so a test)', () => {
  it('are seen where there are some', async () => {
    const kept: object[] = new Array(64).fill({});
    const allocating = (n: number): number => {
      for (let i = 0; i < n; i++) kept[i & 63] = { i };
      return kept.length;
    };
    expect(await bytesPerOperation(allocating)).toBeGreaterThan(15);
  });

  it.each(Object.entries(quietLoops()))('%s: less than a byte', async (_name, loop) => {
    expect(await bytesPerOperation(await loop())).toBeLessThan(1);
  });
});
