import { NetError } from '@softnet/contract';

/**
 * The instructions that `tcpdump -dd` prints (`{ 0x28, 0, 0, 0x0000000c },`) or `tcpdump -ddd` (a count, then `40 0 0 12`), as bytes for SO_ATTACH_FILTER and `loadFilter`.
 * @throws NetError EINVAL: a line is neither; it says which.
 */
export function parseFilter(text: string): Uint8Array {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const isCounted = /^\d+$/.test(lines[0] ?? '');
  const instructions = isCounted ? lines.slice(1) : lines;
  if (isCounted && instructions.length !== Number(lines[0])) {
    throw new NetError('EINVAL', `the filter says that it has ${lines[0]} instructions, and has ${instructions.length}`);
  }
  const bytes = new Uint8Array(8 * instructions.length);
  const view = new DataView(bytes.buffer);
  for (const [i, line] of instructions.entries()) {
    const [code, whenTrue, whenFalse, operand] = numbersOf(line);
    view.setUint16(8 * i, code!, true);
    view.setUint8(8 * i + 2, whenTrue!);
    view.setUint8(8 * i + 3, whenFalse!);
    view.setUint32(8 * i + 4, operand!, true);
  }
  return bytes;
}

/** Four numbers that fit their fields. */
function numbersOf(line: string): readonly number[] {
  const words = line
    .replace(/^\{|\},?$/g, '')
    .split(/[\s,]+/)
    .filter((word) => word !== '');
  const numbers = words.map(Number);
  const fits = [0xffff, 0xff, 0xff, 0xffffffff].every((max, i) => Number.isInteger(numbers[i]) && numbers[i]! >= 0 && numbers[i]! <= max);
  if (numbers.length === 4 && fits) return numbers;
  throw new NetError('EINVAL', `'${line}' is no instruction of a filter: write { 0x28, 0, 0, 0x0000000c }, as tcpdump -dd does`);
}
