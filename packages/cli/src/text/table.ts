import type { Paint, Style } from './paint.ts';
import { noPaint } from './paint.ts';

/** One column of a table. */
export interface Column {
  readonly title: string;
  /** Numbers stand right. */
  readonly right?: boolean;
  /** Where the table is too wide, this column is cut. */
  readonly cuts?: boolean;
  readonly style?: (cell: string) => Style | undefined;
}

/** How a table is drawn. */
export interface TableLook {
  /** Columns of the screen. */
  readonly width: number;
  readonly paint?: Paint;
}

const GAP = '  ';
/** What a column that is cut keeps at least. */
const LEAST = 8;

/**
 * A table in plain ASCII: a head, a rule, the rows. No line is wider than `look.width`: where even the least widths are too
 * much, the last columns are left out.
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], look: TableLook): string[] {
  const cells = rows.map((row) => row.map(plainCell));
  const widths = fit(columns, cells, look.width);
  const paint = look.paint ?? noPaint;
  const line = (row: readonly string[], styled: boolean): string =>
    widths
      .map((width, index) => {
        const column = columns[index]!;
        const cell = row[index] ?? '';
        const text = pad(cut(cell, width), width, column.right === true);
        const style = styled ? column.style?.(cell) : undefined;
        return style === undefined ? text : paint(text, style);
      })
      .join(GAP)
      .trimEnd();
  const titles = columns.map(({ title }) => title);
  return [line(titles, false), widths.map((width) => '-'.repeat(width)).join(GAP), ...cells.map((row) => line(row, true))];
}

/** The text, or its beginning with an ellipsis, in `width` columns. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  return width < 4 ? text.slice(0, Math.max(width, 0)) : `${text.slice(0, width - 3)}...`;
}

/** What modules say of themselves must not break the table, nor speak to the terminal. */
function plainCell(text: string): string {
  return text
    .replaceAll('\u2192', '->')
    .replaceAll('\u2190', '<-')
    .replace(/\p{Cc}+/gu, ' ');
}

/** The widths of as many columns, from the first, as the screen has room for. */
function fit(columns: readonly Column[], rows: readonly (readonly string[])[], width: number): number[] {
  const natural = columns.map(({ title }, index) => Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)));
  for (let shown = columns.length; shown > 1; shown--) {
    const widths = squeeze(natural.slice(0, shown), columns, width);
    if (total(widths) <= width) return widths;
  }
  return natural.slice(0, 1).map((each) => Math.min(each, width));
}

/** Takes what is too much from the columns that may be cut, the last first. */
function squeeze(widths: number[], columns: readonly Column[], width: number): number[] {
  for (let index = widths.length - 1; index >= 0; index--) {
    const excess = total(widths) - width;
    const each = widths[index]!;
    if (excess > 0 && columns[index]!.cuts === true) widths[index] = Math.max(each - excess, Math.min(each, LEAST));
  }
  return widths;
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1);
}

function pad(text: string, width: number, right: boolean): string {
  return right ? text.padStart(width) : text.padEnd(width);
}
