import type { HeardError } from '@softnet/testkit';

/** What iputils prints of ICMP errors, by type << 8 | code. */
const WORDS_V4: Readonly<Record<number, string>> = Object.freeze({
  768: 'Destination Net Unreachable',
  769: 'Destination Host Unreachable',
  770: 'Destination Protocol Unreachable',
  771: 'Destination Port Unreachable',
  773: 'Source Route Failed',
  774: 'Destination Net Unknown',
  775: 'Destination Host Unknown',
  776: 'Source Host Isolated',
  777: 'Destination Net Prohibited',
  778: 'Destination Host Prohibited',
  779: 'Destination Net Unreachable for Type of Service',
  780: 'Destination Host Unreachable for Type of Service',
  781: 'Packet filtered',
  782: 'Precedence Violation',
  783: 'Precedence Cutoff',
  2816: 'Time to live exceeded',
  2817: 'Frag reassembly time exceeded',
});
const WORDS_V6: Readonly<Record<number, string>> = Object.freeze({
  256: 'Destination unreachable: No route',
  257: 'Destination unreachable: Administratively prohibited',
  258: 'Destination unreachable: Beyond scope of source address',
  259: 'Destination unreachable: Address unreachable',
  260: 'Destination unreachable: Port unreachable',
  261: 'Destination unreachable: Failed policy',
  262: 'Destination unreachable: Reject route',
  768: 'Time exceeded: Hop limit',
  769: 'Time exceeded: Defragmentation failure',
});
const TOO_BIG = { 4: 772, 6: 512 } as const;

/** As ping says it, as far as it has words for it. @param version 4 or 6. */
export function icmpWords({ type, code, info }: HeardError, version: 4 | 6): string | undefined {
  const message = (type << 8) | code;
  if (message === TOO_BIG[version]) return version === 4 ? `Frag needed and DF set (mtu = ${info})` : `Packet too big: mtu=${info}`;
  if (version === 4 && type === 12) return `Parameter problem: pointer = ${info}`;
  return (version === 4 ? WORDS_V4 : WORDS_V6)[message];
}

/** traceroute's marks of who says more than that a probe has died: ' !H'. '' for what is no news. */
export function traceMark({ type, code, info }: HeardError, version: 4 | 6): string {
  const message = (type << 8) | code;
  if (message === TOO_BIG[version]) return ` !F-${info}`;
  if (version === 6)
    return type !== 1 || code === 4 ? '' : (({ 0: ' !N', 1: ' !X', 3: ' !H' } as Record<number, string>)[code] ?? ` !<${code}>`);
  if (type !== 3 || code === 3) return '';
  const marks: Readonly<Record<number, string>> = {
    0: ' !N',
    1: ' !H',
    2: ' !P',
    5: ' !S',
    6: ' !U',
    7: ' !W',
    8: ' !I',
    9: ' !A',
    10: ' !Z',
    11: ' !Q',
    12: ' !T',
    13: ' !X',
    14: ' !V',
    15: ' !C',
  };
  return marks[code] ?? ` !<${code}>`;
}
