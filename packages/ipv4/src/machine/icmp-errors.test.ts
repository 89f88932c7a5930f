import { ErrorReport } from '@softnet/contract';
import { expect, test } from 'vitest';
import { messageOf, readReport } from './icmp-errors.ts';

/** Linux's table, as its header files have it: errno and whether it is fatal, by code. 8 differs on purpose. */
const LINUX = '101 113 92! 111! 90 95 101! 112! 113! 101! 113! 101 113 113! 113! 113!';

test('codes mean what they mean in Linux', () => {
  const report = new ErrorReport();
  const read = (type: number, code: number): string =>
    readReport(report, type, code, 0, 1500) ? `${report.errno}${report.fatal ? '!' : ''}` : 'none';
  expect(Array.from({ length: 16 }, (_, code) => read(3, code)).join(' ')).toBe(LINUX);
  const others = [
    [3, 16],
    [3, 255],
    [4, 0],
    [5, 4],
    [8, 0],
    [11, 2],
    [12, 3],
  ] as const;
  expect(others.map(([type, code]) => read(type, code))).toEqual(others.map(() => 'none'));
  expect([read(11, 0), read(11, 1), read(12, 0), read(12, 2), read(5, 0), read(5, 3)]).toEqual(['113', '113', '71!', '71!', '0', '0']);
});

test('MTU and pointer come along', () => {
  const report = new ErrorReport();
  readReport(report, 3, 4, 1280, 1500);
  expect([report.info, report.type, report.code, report.origin]).toEqual([1280, 3, 4, 2]);
  readReport(report, 12, 0, 20 << 24, 1500);
  expect(report.info).toBe(20);
  readReport(report, 5, 1, 0x0a000001, 1500);
  expect(report.info).toBe(0x0a000001);
  readReport(report, 3, 3, 77, 1500);
  expect(report.info).toBe(0);
});

test('each refusal has its message, and what is none has none', () => {
  const said = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(messageOf);
  expect(said).toEqual([0x303, 0x302, 0x301, 0x300, 0x30d, 0x304, 0xb00, 0xb01, 0x305, -1]);
});
