import type { Flow } from '@softnet/contract';
import { mixHash } from '@softnet/inet';
import { AUTO_LABEL } from './settings.ts';
import type { Ipv6SockOptions } from './sock-options.ts';

const LABEL_MASK = 0xfffff;

/** Flow labels of packets that were given none (RFC 6437 §3): the same for a flow as long as the host runs, and no way to foresee another's. */
export class FlowLabels {
  readonly #secret: number;
  readonly #mode: { readonly value: number };

  /** @param secret 32 random bits. @param mode `net.ipv6.auto_flowlabels`, one of {@link AUTO_LABEL}. */
  constructor(secret: number, mode: { readonly value: number }) {
    this.#secret = secret | 0;
    this.#mode = mode;
  }

  /** What the flow has; else one made of it, if its socket, or the setting, wants one; 20 bits, 0: none. Linux's `ip6_make_flowlabel`. */
  of(flow: Flow, options: Ipv6SockOptions | null): number {
    if (flow.label !== 0 || !isWanted(this.#mode.value, options)) return flow.label;
    const hash = flow.hash === 0 ? hashOf(flow, this.#secret) : mixHash(this.#secret, flow.hash);
    const label = spread(hash) & LABEL_MASK;
    return label === 0 ? 1 : label;
  }
}

/** Whether a socket's packets are labelled: also what IPV6_AUTOFLOWLABEL answers. */
export function isWanted(mode: number, options: Ipv6SockOptions | null): boolean {
  if (mode === AUTO_LABEL.OFF || mode === AUTO_LABEL.FORCED) return mode === AUTO_LABEL.FORCED;
  return options === null || options.autoFlowLabel < 0 ? mode === AUTO_LABEL.UNLESS_REFUSED : options.autoFlowLabel === 1;
}

function hashOf(flow: Flow, secret: number): number {
  let hash = mixHash(secret, flow.dst3);
  hash = mixHash(hash, flow.dst2);
  hash = mixHash(hash, flow.dst1);
  hash = mixHash(hash, flow.dst0);
  hash = mixHash(hash, flow.src3);
  hash = mixHash(hash, flow.src2);
  hash = mixHash(hash, flow.src1);
  hash = mixHash(hash, flow.src0);
  hash = mixHash(hash, flow.protocol);
  return mixHash(hash, (flow.srcPort << 16) | flow.dstPort);
}

/** Each bit of the hash counts for each bit of the label. */
function spread(hash: number): number {
  const once = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b | 0);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35 | 0);
  return twice ^ (twice >>> 16);
}
