import { ADDRESS_FAMILY } from '@softnet/contract';

/** IPv4's header and ICMP's: what `ping` says in brackets. */
const HEADERS_BYTES = 28;

/** What ping has seen so far. */
export class PingTally {
  sent = 0;
  errors = 0;
  readonly rttsUs: number[] = [];
}

/** The first line, as iputils has it. */
export function pingHead(address: string, family: number, lenBytes: number): string {
  if (family !== ADDRESS_FAMILY.INET) return `PING ${address}(${address}) ${lenBytes} data bytes`;
  return `PING ${address} (${address}) ${lenBytes}(${lenBytes + HEADERS_BYTES}) bytes of data.`;
}

/** The last lines. @param tookMs from the first request to the end. */
export function pingSummary(address: string, { sent, errors, rttsUs }: PingTally, tookMs: number): string[] {
  const received = rttsUs.length;
  const lost = sent === 0 ? 0 : Math.round((100 * (sent - received)) / sent);
  const failed = errors === 0 ? '' : `+${errors} errors, `;
  return [
    '',
    `--- ${address} ping statistics ---`,
    `${sent} packets transmitted, ${received} received, ${failed}${lost}% packet loss, time ${Math.round(tookMs)}ms`,
    ...(received === 0
      ? []
      : [
          `rtt min/avg/max/mdev = ${spread(rttsUs)
            .map((us) => (us / 1000).toFixed(3))
            .join('/')} ms`,
        ]),
  ];
}

/** Least, mean, greatest, and the standard deviation that iputils calls mdev. */
function spread(values: readonly number[]): [number, number, number, number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + value * value, 0) / values.length;
  return [Math.min(...values), mean, Math.max(...values), Math.sqrt(Math.max(0, squares - mean * mean))];
}

/** Three digits that say something: '0.045 ms', '4.31 ms', '43.1 ms', '431 ms'. */
export function rttText(us: number): string {
  const ms = us / 1000;
  if (us >= 99_950) return `${ms.toFixed(0)} ms`;
  if (us >= 9_995) return `${ms.toFixed(1)} ms`;
  return `${ms.toFixed(us >= 1000 ? 2 : 3)} ms`;
}
