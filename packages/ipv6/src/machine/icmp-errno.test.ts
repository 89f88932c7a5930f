import { ERRNO, ErrorReport } from '@softnet/contract';
import { expect, test } from 'vitest';
import { readIcmpError } from './icmp-errno.ts';

test.each([
  // Linux's `icmpv6_err_convert`.
  [1, 0, 'ENETUNREACH', false],
  [1, 1, 'EACCES', true],
  [1, 2, 'EHOSTUNREACH', false],
  [1, 3, 'EHOSTUNREACH', false],
  [1, 4, 'ECONNREFUSED', true],
  [1, 5, 'EACCES', true],
  [1, 6, 'EACCES', true],
  [1, 77, 'EPROTO', true],
  [2, 0, 'EMSGSIZE', false],
  [3, 0, 'EHOSTUNREACH', false],
  [3, 1, 'EHOSTUNREACH', false],
  [4, 0, 'EPROTO', true],
  [100, 0, 'EPROTO', false],
] as const)('type %i, code %i is %s; fatal: %s', (type, code, errno, fatal) => {
  const report = new ErrorReport();
  report.info = 99;
  readIcmpError(type, code, 1400, report);
  expect([report.errno, report.fatal, report.type, report.code]).toEqual([ERRNO[errno], fatal, type, code]);
  expect(report.info).toBe(type === 2 || type === 4 ? 1400 : 0);
});

test('an MTU of more than 31 bits is a very large one', () => {
  const report = new ErrorReport();
  readIcmpError(2, 0, -1, report);
  expect(report.info).toBe(0x7fffffff);
});
