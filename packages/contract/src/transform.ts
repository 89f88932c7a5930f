import type { Plain } from './frozen.ts';
import { Held } from './held.ts';
import type { NetworkLayer } from './network-layer.ts';
import type { Skb } from './skb.ts';
import { definePoint } from './token.ts';

/** How a transformation treats the IP header (RFC 4301 §4.1; BEET: draft-nikander-esp-beet-mode). Linux's `XFRM_MODE_*`. */
export const TRANSFORM_MODE = Object.freeze({ TRANSPORT: 0, TUNNEL: 1, BEET: 4 } as const);

/**
 * A transformation with its parameters: a security association (RFC 4301 §4.4.2), or what another plugin keeps. Kept by
 * xfrm; `ext` is the plugin's. Linux's `struct xfrm_state`.
 */
export class TransformState extends Held {
  transform: Transform;
  family = 0;
  /** One of {@link TRANSFORM_MODE}. */
  mode = 0;
  /** 32 bits, int32. */
  spi = 0;
  /** Tunnel ends, or the ends of the flow: four words. */
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;
  /** What it adds at most before and behind the data, without an outer IP header. Set by `begin`. */
  headerBytes = 0;
  trailerBytes = 0;
  /** The payload is padded to a multiple of this. Set by `begin`. */
  alignBytes = 1;
  ext: object | null = null;

  constructor(transform: Transform) {
    super();
    this.transform = transform;
  }
}

/** What `Transform.input` and `output` answer beside a protocol number. */
export const TRANSFORM_DROPPED = -1;

/**
 * A kind of transformation as a plugin: ESP, AH, IPComp, route NAT, a stranger's (rows X5, X6). xfrm owns states,
 * policies, dsts and outer headers; the plugin sees one packet and its state. Synchronous. A **corridor**: states that exist
 * are used to their end; new ones are made while it is live. Linux's `struct xfrm_type`.
 */
export interface Transform {
  /** 'esp'. */
  readonly name: string;
  /** IP protocol of its packets; 0: it has none (NAT rewrites in place). */
  readonly protocol: number;
  /** A state is made: read keys and algorithms, set `ext`, header, trailer and alignment. @throws NetError EINVAL, ENOSYS. */
  begin(state: TransformState, config: Plain): void;
  /** The state is over: wipe keys. */
  end(state: TransformState): void;
  /**
   * Out: `data` at what is protected, of protocol `inner`; room is there. Puts header and trailer on and returns the
   * protocol for the IP header before it, or {@link TRANSFORM_DROPPED}: it dropped the packet with a reason.
   */
  output(skb: Skb, state: TransformState, inner: number, layer: NetworkLayer): number;
  /**
   * In: `data` = `transport` at its header; lifetime and selectors are checked by xfrm, the rest (ICV, replay) here.
   * Takes header and trailer off and returns the protocol inside, or {@link TRANSFORM_DROPPED}.
   */
  input(skb: Skb, state: TransformState, layer: NetworkLayer): number;
}
export const Transform = definePoint<Transform>({ name: 'transform', version: '1.0.0' });
