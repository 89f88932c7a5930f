import type { Clock, InterfaceAddress, Random, Timer } from '@softnet/contract';
import { Flow, IP_PROTOCOL } from '@softnet/contract';
import { ICMPV6_TYPE } from '@softnet/wire';
import type { Ipv6Conf } from '../conf.ts';
import { ALL_NODES, SOLICITED_NODE, solicitedNodeWord3 } from '../machine/address-kind.ts';
import { beginIcmpFlow } from '../machine/flow-of.ts';
import type { NeighbourSender } from '../machine/neighbour-sender.ts';
import type { Link, Links } from '../machine/surroundings.ts';
import { linkLocalOf } from '../router/nd-sender.ts';
import { NA_FLAG } from '../wire/neighbour-message.ts';
import { ND_OPTION } from '../wire/neighbour-option.ts';
import type { SearchSender } from './duplicate-searches.ts';

/** MAX_ANYCAST_DELAY_TIME (RFC 4861 §10). */
const MAX_ANYCAST_DELAY_US = 1_000_000;
/** Answers that wait: as many askers must do, the others ask again. */
const MAX_WAITING = 64;

export interface OwnAddressSenderHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly timer: (fire: () => void) => Timer;
  readonly conf: Ipv6Conf;
  readonly links: Links;
  readonly sender: NeighbourSender;
}

interface WaitingAnswer {
  readonly dueUs: number;
  readonly ifindex: number;
  readonly flags: number;
  readonly flow: Flow;
}

/** What is sent about this host's own addresses, and not at once in answer to somebody. */
export class OwnAddressSender implements SearchSender {
  readonly #host: OwnAddressSenderHost;
  readonly #timer: Timer;
  readonly #flow = new Flow();
  #waiting: readonly WaitingAnswer[] = [];

  constructor(host: OwnAddressSenderHost) {
    this.#host = host;
    this.#timer = host.timer(() => this.#timeout());
  }

  probe({ device, address }: InterfaceAddress, nonce: Uint8Array | null): void {
    const link = this.#host.links.of(device.ifindex);
    if (link === null) return;
    const flow = this.#flow;
    beginIcmpFlow(flow, IP_PROTOCOL.ICMPV6, ICMPV6_TYPE.NEIGHBOR_SOLICITATION, 0);
    flow.dst0 = SOLICITED_NODE[0];
    flow.dst1 = SOLICITED_NODE[1];
    flow.dst2 = SOLICITED_NODE[2];
    flow.dst3 = solicitedNodeWord3(address[3]);
    this.#host.sender.send(link, flow, 0, ...address, 0, nonce);
  }

  announce({ device, address }: InterfaceAddress): void {
    const link = this.#host.links.of(device.ifindex);
    if (link === null) return;
    const flow = this.#flow;
    beginIcmpFlow(flow, IP_PROTOCOL.ICMPV6, ICMPV6_TYPE.NEIGHBOR_ADVERTISEMENT, 0);
    flow.src0 = address[0];
    flow.src1 = address[1];
    flow.src2 = address[2];
    flow.src3 = address[3];
    flow.dst0 = ALL_NODES[0];
    flow.dst1 = ALL_NODES[1];
    flow.dst2 = ALL_NODES[2];
    flow.dst3 = ALL_NODES[3];
    const router = this.#host.conf.value(device.ifindex, 'forwarding') !== 0 ? NA_FLAG.ROUTER : 0;
    this.#host.sender.send(link, flow, NA_FLAG.OVERRIDE | router, ...address, ND_OPTION.TARGET_LINK_ADDRESS, null);
  }

  answerLater({ device: { ifindex } }: Link, flow: Flow, flags: number): void {
    if (this.#waiting.length >= MAX_WAITING) return;
    const { clock, random } = this.#host;
    const dueUs = clock.nowUs + random.below(MAX_ANYCAST_DELAY_US);
    this.#waiting = [...this.#waiting, { dueUs, ifindex, flags, flow: Object.assign(new Flow(), flow) }];
    this.#arm();
  }

  close(): void {
    this.#waiting = [];
    this.#timer.cancel();
  }

  #timeout(): void {
    const { clock, links, sender } = this.#host;
    const due = this.#waiting.filter(({ dueUs }) => dueUs <= clock.nowUs);
    this.#waiting = this.#waiting.filter((each) => !due.includes(each));
    for (const { ifindex, flags, flow } of due) {
      const link = links.of(ifindex);
      const { src0, src1, src2, src3 } = flow;
      const source = link === null ? null : linkLocalOf(link);
      if (link === null || source === null || !link.isAnycast(src0, src1, src2, src3)) continue;
      [flow.src0, flow.src1, flow.src2, flow.src3] = source.address;
      sender.send(link, flow, flags, src0, src1, src2, src3, ND_OPTION.TARGET_LINK_ADDRESS, null);
    }
    this.#arm();
  }

  #arm(): void {
    const dueUs = Math.min(...this.#waiting.map((each) => each.dueUs));
    if (Number.isFinite(dueUs)) this.#timer.armAt(dueUs);
    else this.#timer.cancel();
  }
}
