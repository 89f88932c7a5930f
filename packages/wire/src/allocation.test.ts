import type { SkbPool } from '@softnet/contract';
import { FlowKey, PacketMemory } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import { expect, test } from 'vitest';
import { IcmpQuote, readIcmpv4Quote, readIcmpv6Quote } from './icmp-quote.ts';
import { emitIcmpv4 } from './icmpv4.ts';
import { emitIcmpv6 } from './icmpv6.ts';
import { checksumOf, sumBytes, updateChecksum32 } from './internet-checksum.ts';
import { decrementIpv4Ttl, emitIpv4Packet, finishIpv4, ipv4Dst, ipv4Fault, ipv4Src, setIpv4Ttl } from './ipv4.ts';
import { ipv6Fault, ipv6Src } from './ipv6.ts';
import { IPV6_EXTENSION } from './ipv6-extension.ts';
import { Ipv6HeaderChain, walkExtensionHeaders } from './ipv6-extension-walk.ts';
import { IPV6_LIMITS } from './ipv6-limits.ts';
import { emitIpv6Packet } from './ipv6-packet.ts';
import { OPTION_END, optionBytes } from './option-list.ts';
import { dissectPorts } from './ports.ts';
import { ipv4PseudoHeaderSum, ipv6PseudoHeaderSum, pseudoHeaderSum } from './pseudo-header.ts';
import { emitTcp, tcpAck, tcpFault, tcpSeq } from './tcp.ts';
import { timestampsOption } from './tcp-options.ts';
import { hex } from './testing/hex.ts';
import { emitUdp, finishUdp, udpFault } from './udp.ts';

const udp = emitUdp({ srcPort: 1, dstPort: 2, checksum: 0, payload: new Uint8Array(1000).fill(0xff) });
const tcp = emitTcp({
  ...{ srcPort: 1, dstPort: 2, seq: -1, ack: 0x7fffffff, flags: 16, window: 1, checksum: 0, urgentPointer: 0 },
  ...{ options: [timestampsOption(-1, -2)], payload: hex('') },
});
const v4 = emitIpv4Packet({
  ...{ tos: 0, id: 1, dontFragment: true, moreFragments: false, fragmentOffsetBytes: 0, ttl: 64, protocol: 17 },
  ...{ src: '255.255.255.254', dst: '127.255.255.255', options: [], payload: udp },
});
const headers = [
  { type: IPV6_EXTENSION.HOP_BY_HOP, options: [{ type: 5, data: hex('0000') }] },
  { type: IPV6_EXTENSION.FRAGMENT, offsetBytes: 0, more: false, id: -1 },
];
const v6 = emitIpv6Packet({ trafficClass: 0, flowLabel: 0, hopLimit: 64, src: 'ff02::1', dst: '::', headers, protocol: 17, payload: udp });
const error4 = emitIcmpv4({ type: 3, code: 3, rest: 0, payload: v4 });
const error6 = emitIcmpv6({ type: 1, code: 4, rest: 0, payload: v6 }, 0);

const memory = new PacketMemory(new Uint8Array(16384), {} as SkbPool);
const at = { udp: 0, tcp: 2048, v4: 4096, v6: 6144, error4: 8192, error6: 10240 };
for (const [name, bytes] of Object.entries({ udp, tcp, v4, v6, error4, error6 })) memory.bytes.set(bytes, at[name as keyof typeof at]);

const key = new FlowKey();
const chain = new Ipv6HeaderChain();
const quote = new IcmpQuote();

function walkOptions(view: DataView, offset: number, endOffset: number): number {
  let kinds = 0;
  for (let option = offset, step = 0; option < endOffset; option += step) {
    step = optionBytes(view, option, endOffset);
    if (step === 0 || view.getUint8(option) === OPTION_END) break;
    kinds += view.getUint8(option);
  }
  return kinds;
}

/** What a packet's way asks of this package; the count of what was found wrong. */
function packet(round: number): number {
  const { view } = memory;
  let faults = 0;
  setIpv4Ttl(view, at.v4, (round & 63) + 1);
  decrementIpv4Ttl(view, at.v4);
  finishIpv4(view, at.v4);
  faults += ipv4Fault(view, at.v4, 20, v4.length) === null ? 0 : 1;
  faults += ipv6Fault(view, at.v6, 40, v6.length) === null ? 0 : 1;
  faults += walkExtensionHeaders(view, 0, at.v6 + 6, at.v6 + 40, at.v6 + v6.length, IPV6_LIMITS, chain) === null ? 0 : 1;
  faults += udpFault(view, at.udp, 8, udp.length) === null ? 0 : 1;
  faults += tcpFault(view, at.tcp, 32) === null ? 0 : 1;
  faults += dissectPorts(memory, at.tcp, at.tcp + 4, key) ? 0 : 1;
  faults += readIcmpv4Quote(view, at.error4, at.error4 + error4.length, quote) === null ? 0 : 1;
  faults += readIcmpv6Quote(view, at.error6, at.error6 + error6.length, IPV6_LIMITS, quote) === null ? 0 : 1;
  const pseudo = pseudoHeaderSum(0, 0, 0xffff, ipv4Src(view, at.v4), 0, 0, 0xffff, ipv4Dst(view, at.v4), 17, udp.length);
  finishUdp(view, at.udp, udp.length, pseudo);
  const sums = ipv4PseudoHeaderSum(view, at.v4, 17, 8) + ipv6PseudoHeaderSum(view, at.v6, 17, 8) + checksumOf(sumBytes(view, at.udp, 1001));
  const words = updateChecksum32(sums & 0xffff, tcpSeq(view, at.tcp), tcpAck(view, at.tcp)) + ipv6Src(view, at.v6, 0);
  return faults + (words === walkOptions(view, at.tcp + 20, at.tcp + 32) ? 1 : 0);
}

test('no allocation for a packet once warm', () => {
  let faults = 0;
  const bytes = heapPerCall(1, (round) => {
    faults += packet(round);
  });
  // One heap number for each packet would be 16.
  expect(bytes).toBeLessThan(1);
  expect(faults).toBe(0);
});
