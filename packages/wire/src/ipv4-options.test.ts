import { expect, test } from 'vitest';
import { IPV4_OPTION, isIpv4OptionCopied, routerAlertOption } from './ipv4-options.ts';
import { emitOptions } from './option-list.ts';
import { hex } from './testing/hex.ts';

test('RFC 2113 §2.1: the router alert', () => {
  expect(emitOptions('test', [routerAlertOption()])).toEqual(hex('94040000'));
});

test('RFC 791 §3.1: which options every fragment has', () => {
  const copied = Object.entries(IPV4_OPTION).filter(([, kind]) => isIpv4OptionCopied(kind));
  expect(copied.map(([name]) => name).sort()).toEqual([
    'CIPSO',
    'LOOSE_SOURCE_ROUTE',
    'ROUTER_ALERT',
    'SECURITY',
    'STREAM_ID',
    'STRICT_SOURCE_ROUTE',
  ]);
});
