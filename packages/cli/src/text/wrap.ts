/** The text in lines of at most `width` columns, broken at words where that can be; `hang` stands before each but the first. */
export function wrap(text: string, width: number, hang = '  '): string[] {
  const columns = Math.max(width, 1);
  const further = hang.slice(0, Math.floor(columns / 2));
  const lines: string[] = [];
  let [indent, rest] = ['', text];
  while (indent.length + rest.length > columns) {
    const room = columns - indent.length;
    const at = breakAt(rest, room);
    lines.push(`${indent}${rest.slice(0, at)}`.trimEnd());
    rest = rest.slice(at).trimStart();
    indent = further;
  }
  return [...lines, `${indent}${rest}`];
}

/** The last blank that fits, after at least one word; where there is none, behind the last colon of the word, else in the middle of it. */
function breakAt(text: string, room: number): number {
  const start = text.length - text.trimStart().length;
  const blank = text.lastIndexOf(' ', room);
  if (blank > start) return blank;
  const colon = text.lastIndexOf(':', room - 1);
  return colon > start ? colon + 1 : room;
}
