import type { Row, WorkResult } from './rounds.ts';
import type { Work } from './work.ts';
import { SOFTNET } from './work.ts';

const NUMBER_WIDTH = 9;
const RATIO = 'ours ÷ it';

/** Lines of the screen's table, 100 columns at most. Widths are known from the works, so that rows are shown as they come. */
export class Table {
  readonly #work: number;
  readonly #subject: number;
  readonly #unit: number;

  constructor(works: readonly Work[]) {
    this.#work = widest(works.map(({ name }) => name));
    this.#subject = widest(works.flatMap(({ subjects }) => subjects.map(({ name }) => name)));
    this.#unit = widest(works.flatMap(({ units }) => Object.entries(units).map(([unit, better]) => unitText(unit, better))));
  }

  head(): string[] {
    const line = this.#line('work', 'subject', 'unit', ['median', 'min', 'max'], RATIO);
    return [line, '─'.repeat(line.length)];
  }

  rows({ work, rows }: WorkResult): string[] {
    return rows.map((row, index) => {
      const name = index === 0 ? work.name : '';
      const unit = unitText(row.unit, work.units[row.unit]!);
      return this.#line(name, row.subject, unit, [row.median, row.min, row.max].map(numberText), ratioText(row, rows));
    });
  }

  /** What the figures mean, who is missing and why. */
  foot(results: readonly WorkResult[]): string[] {
    const notes = results.flatMap(({ work }) => (work.note === undefined ? [] : [`${work.name}: ${work.note}`]));
    const absent = results.flatMap(({ work, absences }) =>
      absences.map(({ subject, reason, failed }) => `${work.name}: ${subject} ${failed ? 'failed' : 'cannot run here'}: ${reason}`),
    );
    const legend = `↓ less is better, ↑ more is better; ns are of CPU. ${RATIO}: softnet's median over the peer's.`;
    return ['', legend, ...[...notes, ...absent].flatMap((text) => wrapped(text, 98))];
  }

  #line(work: string, subject: string, unit: string, numbers: readonly string[], ratio: string): string {
    const columns = [work.padEnd(this.#work), subject.padEnd(this.#subject), unit.padEnd(this.#unit)];
    return [...columns, ...numbers.map((text) => text.padStart(NUMBER_WIDTH)), ratio.padStart(RATIO.length)].join('  ').trimEnd();
  }
}

function widest(texts: readonly string[]): number {
  return Math.max(7, ...texts.map((text) => text.length));
}

function unitText(unit: string, better: 'less' | 'more'): string {
  return `${unit} ${better === 'less' ? '↓' : '↑'}`;
}

/** Three digits that count, or all of those before the point. */
export function numberText(value: number): string {
  const size = Math.abs(value);
  if (size >= 99.95) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(size >= 9.995 ? 1 : size >= 0.9995 || size === 0 ? 2 : 3);
}

function ratioText(row: Row, rows: readonly Row[]): string {
  const ours = rows.find(({ subject, unit }) => subject === SOFTNET && unit === row.unit);
  if (row.subject === SOFTNET || ours === undefined || row.median === 0) return '';
  return numberText(ours.median / row.median);
}

/** Breaks at spaces; further lines are indented. */
function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(last === undefined ? word : `  ${word}`);
  }
  return lines;
}
