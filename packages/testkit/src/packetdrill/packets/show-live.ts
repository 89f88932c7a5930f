import { TCP_FLAG } from '@softnet/wire';
import { ICMP_WORDS } from '../language/icmp-words.ts';
import { FLAG_BITS } from '../language/packet-spec.ts';
import { printOption, printPacket } from '../language/print-packet.ts';
import type { Flow } from './flow.ts';
import type { LivePacket } from './live-packet.ts';
import { optionOf } from './tcp-option-bytes.ts';

const NOTHING = Object.freeze({ ecn: null, tos: null, ttl: null, flowLabel: null, frags: null });

/** A packet that was sent, as a script would write it. */
export function showLive(live: LivePacket, flow: Flow): string {
  const { upper } = live;
  const ends = `${live.src} > ${live.dst}`;
  if (upper.kind === 'other') return `> ${ends} ${upper.what}`;
  const ip = { ...NOTHING, tos: live.tos === 0 ? null : live.tos, frags: live.frags === 1 ? null : live.frags };
  const base = { direction: 'out' as const, outer: live.outer, ip };
  if (upper.kind === 'udp') {
    const ports = { src: upper.srcPort, dst: upper.dstPort };
    return printPacket({ ...base, upper: { kind: 'udp', ports, lenBytes: upper.lenBytes } });
  }
  if (upper.kind === 'icmp') return printPacket({ ...base, upper: icmpOf(live) });
  const seq = (upper.seq - (flow.localBase ?? 0)) >>> 0;
  const lenBytes = upper.payload.length;
  const flags = [...FLAG_BITS].filter(([, bit]) => (upper.flags & bit) !== 0).map(([flag]) => flag);
  const options = upper.options.map(optionOf).filter((option) => option !== null);
  const isAck = (upper.flags & TCP_FLAG.ACK) !== 0;
  const text = printPacket({
    ...base,
    upper: {
      kind: 'tcp',
      ports: null,
      flags: flags.join(''),
      ace: null,
      seq,
      end: (seq + lenBytes) >>> 0,
      lenBytes,
      ack: isAck ? (upper.ack - flow.remoteBase) >>> 0 : null,
      window: upper.window,
      urgent: (upper.flags & TCP_FLAG.URG) !== 0 ? upper.urgentPointer : null,
      options: [],
    },
  });
  return options.length === 0 ? text : `${text} <${options.map(printOption).join(',')}>`;
}

function icmpOf({ protocol, upper }: LivePacket) {
  if (upper.kind !== 'icmp') throw new TypeError('no ICMP message');
  const version = protocol === 1 ? (4 as const) : (6 as const);
  const [name, words] = Object.entries(ICMP_WORDS[version]).find(([, { type }]) => type === upper.type) ?? [upper.type, null];
  const code =
    words === null ? upper.code : (Object.entries(words.codes).find(([, number]) => number === upper.code)?.[0] ?? (upper.code || null));
  const isEcho = words !== null && String(name).startsWith('echo');
  const mtu = !isEcho && upper.rest !== 0 ? upper.rest >>> 0 : null;
  const echo = isEcho ? { id: upper.rest >>> 16, seq: upper.rest & 0xffff } : { id: null, seq: null };
  return { kind: 'icmp' as const, version, type: name, code, mtu, ...echo, lenBytes: upper.payload.length, quoted: null };
}
