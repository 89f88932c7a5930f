import { readFileSync } from 'node:fs';

/**
 * The table below a heading of docs/architecture.md, by first cell and column: what stands in the document is what is
 * tested. Backticks are left out.
 */
export function readTable(heading: string): Record<string, Record<string, string>> {
  const text = readFileSync(new URL('../../docs/architecture.md', import.meta.url), 'utf8');
  const [, below = ''] = text.split(`### ${heading}\n`);
  const [section = ''] = below.split('\n#');
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  const [head, , ...body] = rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.replaceAll('`', '').trim()),
  );
  return Object.fromEntries(body.map(([first, ...cells]) => [first, Object.fromEntries(cells.map((cell, i) => [head?.[i + 1], cell]))]));
}
