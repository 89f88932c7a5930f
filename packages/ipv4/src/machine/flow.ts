import type { Flow } from '@softnet/contract';
import { ADDRESS_FAMILY, IPV4_WORD2 } from '@softnet/contract';

/** Fills a flow with an IPv4 packet's ends. Address 0 is the unspecified one of both families: four zeros. */
export function aim(flow: Flow, protocol: number, source: number, destination: number, tos: number, mark: number): void {
  flow.family = ADDRESS_FAMILY.INET;
  flow.protocol = protocol;
  flow.src0 = 0;
  flow.src1 = 0;
  flow.src2 = source === 0 ? 0 : IPV4_WORD2;
  flow.src3 = source;
  flow.dst0 = 0;
  flow.dst1 = 0;
  flow.dst2 = destination === 0 ? 0 : IPV4_WORD2;
  flow.dst3 = destination;
  flow.srcPort = 0;
  flow.dstPort = 0;
  flow.mark = mark;
  flow.oif = 0;
  flow.iif = 0;
  flow.table = 0;
  flow.tos = tos;
  flow.label = 0;
  flow.uid = 0;
  flow.hash = 0;
}
