import type { ModuleContext, Skb, SoftnetModule } from '@softnet/contract';
import {
  Dst,
  EthertypeHandler,
  IP_PROTOCOL,
  Module,
  NetworkLayer,
  optional,
  PacketPolicy,
  POLICY_DIRECTION,
  Protocol,
  Route,
  TRANSMIT,
} from '@softnet/contract';
import { appendFragment, finishChecksum, gather, pull, push, put, SkbReader, sumOf, trim } from '@softnet/skb';
import { finishIpv4, ipv4HeaderBytes, ipv4Protocol, ipv4Src, setIpv4Protocol, setIpv4TotalBytes } from '@softnet/wire';
import { BurstCutter } from './burst-cutter.ts';
import { layerIndex } from './layer-index.ts';
import { stackedUses } from './stacked-uses.ts';

/** RFC 3692: for experiments. */
export const VEIL_PROTOCOL = 253;
/** Before the payload: the protocol inside, how many were sent so far. Behind it: the sum of it (RFC 1071), as an ICV. */
const HEADER_BYTES = 8;
const TRAILER_BYTES = 4;
const VEIL_BYTES = HEADER_BYTES + TRAILER_BYTES;

/** A transformation of the packet on its way out, with what it needs. */
type Veil = (skb: Skb, child: Dst) => number;

/**
 * IPsec in transport mode, without its secrets: what this host sends to 10.9.0.0/16 is veiled; UDP from there to this host that is not is dropped.
 * A stranger's module: of ours it knows the contract, skb and wire.
 */
@Module({ name: 'veil', version: '1.0.0', requires: [optional(Route)], provides: [PacketPolicy, Protocol] })
export class VeilModule implements SoftnetModule {
  #changed: () => void = () => {};

  start(ctx: ModuleContext): void {
    const route = ctx.port(Route);
    const poll = ctx.poll(
      {
        poll: () => {
          route.current.changed();
          return 0;
        },
      },
      'veil.changed',
    );
    this.#changed = () => poll.raise();
    ctx.corridor(PacketPolicy, this.#policy(ctx, this.#veil(ctx)));
    ctx.contribute(Protocol, this.#protocol(ctx), 'corridor');
    // Flows that are there already are veiled from now on.
    this.#changed();
  }

  /** Another one may be there: whoever has a dst of ours asks anew. */
  withdraw(): void {
    this.#changed();
  }

  #policy(ctx: ModuleContext, veil: Veil): PacketPolicy {
    const uses = stackedUses(ctx, 'veiled', ({ dst }) => `veiled, by ${dst?.device?.name ?? 'nothing'}`);
    const unveiled = ctx.dropReason('veil.unveiled', 'from a network that is to be veiled, and is not');
    // One for each dst below: a million flows by one next hop share one here too.
    const stacked = new WeakMap<Dst, Dst>();
    const make = (child: Dst): Dst => {
      const dst = new Dst(child.generation, child.input);
      dst.family = child.family;
      dst.type = child.type;
      dst.device = child.device;
      dst.child = child;
      dst.uses = uses;
      dst.headroomBytes = child.headroomBytes + HEADER_BYTES;
      dst.tailroomBytes = child.tailroomBytes + TRAILER_BYTES;
      dst.mtuBytes = child.mtuBytes - VEIL_BYTES;
      dst.finish = child.finish;
      dst.output = (skb) => veil(skb, child);
      stacked.set(child, dst);
      return dst;
    };
    return {
      // What passes through may be a fragment, around which transport mode must not be put (RFC 4303 §3.1.1).
      stack: (dst, flow) => {
        if (!isSecret(flow.dst3) || flow.protocol === VEIL_PROTOCOL || flow.iif !== 0) return dst;
        return stacked.get(dst) ?? make(dst);
      },
      admit: (skb, direction) => {
        const { view } = skb.memory;
        if (
          direction !== POLICY_DIRECTION.IN ||
          !isSecret(ipv4Src(view, skb.network)) ||
          ipv4Protocol(view, skb.network) !== IP_PROTOCOL.UDP
        )
          return true;
        skb.memory.pool.drop(skb, unveiled);
        return false;
      },
    };
  }

  #veil(ctx: ModuleContext): Veil {
    const layers = ctx.contributions(NetworkLayer);
    const noRoom = ctx.dropReason('veil.no-room', 'there is no memory for its header and trailer');
    const cutter = new BurstCutter(ctx.contributions(EthertypeHandler));
    const reader = new SkbReader();
    let sent = 0;
    const again = (skb: Skb): number => skb.dst!.output(skb);
    return (skb, child) => {
      if (skb.gsoSize !== 0) return cutter.each(skb, again);
      const { pool } = skb.memory;
      if (!pool.makeRoom(skb, child.headroomBytes + HEADER_BYTES, child.tailroomBytes + TRAILER_BYTES)) {
        pool.drop(skb, noRoom);
        return TRANSMIT.DROPPED;
      }
      finishChecksum(skb, reader);
      sent = (sent + 1) | 0;
      const headerBytes = ipv4HeaderBytes(skb.memory.view, skb.network);
      reader.open(skb, headerBytes);
      if (!addTrailer(skb, sumOf(reader))) {
        pool.drop(skb, noRoom);
        return TRANSMIT.DROPPED;
      }
      wrap(skb, headerBytes, sent);
      skb.dst = child;
      const { items, owners } = layers;
      const layer = layerIndex(layers, child.family);
      const { current } = ctx;
      const caller = current.id;
      current.id = owners[layer]!;
      const result = items[layer]!.reenter(skb);
      current.id = caller;
      return result;
    };
  }

  #protocol(ctx: ModuleContext): Protocol {
    const bad = ctx.dropReason('veil.bad', 'too short, or its sum is wrong');
    const reader = new SkbReader();
    const input = (skb: Skb, layer: NetworkLayer): boolean => {
      if (skb.len < VEIL_BYTES || !gather(skb, HEADER_BYTES) || !skb.memory.pool.makeRoom(skb, 0, 0) || !isIntact(skb, reader)) {
        skb.memory.pool.drop(skb, bad);
        return true;
      }
      layer.deliver(skb, unwrap(skb));
      return true;
    };
    // The path's MTU is learnt by the layer, of the destination, whatever the protocol; whose packet it was, the veil hides.
    return { name: 'veil', number: VEIL_PROTOCOL, input, error: () => true, dissect: null, gro: null, segment: null };
  }
}

/** 10.9.0.0/16 */
function isSecret(address: number): boolean {
  return address >>> 16 === 0x0a09;
}

/** Behind the packet, wherever that is. False: there is no memory. */
function addTrailer(skb: Skb, sum: number): boolean {
  if (skb.fragments === null) {
    skb.memory.view.setInt32(put(skb, TRAILER_BYTES), sum);
    return true;
  }
  const page = skb.memory.pool.page(TRAILER_BYTES);
  if (page === null) return false;
  page.lenBytes = TRAILER_BYTES;
  page.memory.view.setInt32(page.offset, sum);
  appendFragment(skb, page);
  return true;
}

/** The IP header moves forward, and says what follows it now. */
function wrap(skb: Skb, headerBytes: number, number: number): void {
  const { bytes, view } = skb.memory;
  const inner = ipv4Protocol(view, skb.network);
  const at = push(skb, HEADER_BYTES);
  bytes.copyWithin(at, at + HEADER_BYTES, at + HEADER_BYTES + headerBytes);
  skb.network = at;
  skb.transport = at + headerBytes;
  view.setInt32(skb.transport, inner);
  view.setInt32(skb.transport + 4, number);
  rewrite(skb, VEIL_PROTOCOL, skb.len);
}

function isIntact(skb: Skb, reader: SkbReader): boolean {
  const payloadBytes = skb.len - VEIL_BYTES;
  reader.open(skb, HEADER_BYTES + payloadBytes);
  const wanted = reader.u32();
  reader.open(skb, HEADER_BYTES, payloadBytes);
  return sumOf(reader) === wanted;
}

/** And back. Returns the protocol inside; `data` = `transport` at its header. */
function unwrap(skb: Skb): number {
  const { bytes, view } = skb.memory;
  const headerBytes = skb.data - skb.network;
  const inner = view.getInt32(skb.data) & 0xff;
  trim(skb, skb.len - TRAILER_BYTES);
  pull(skb, HEADER_BYTES);
  bytes.copyWithin(skb.network + HEADER_BYTES, skb.network, skb.network + headerBytes);
  skb.network += HEADER_BYTES;
  skb.transport = skb.data;
  rewrite(skb, inner, headerBytes + skb.len);
  return inner;
}

function rewrite({ memory: { view }, network }: Skb, protocol: number, totalBytes: number): void {
  setIpv4Protocol(view, network, protocol);
  setIpv4TotalBytes(view, network, totalBytes);
  finishIpv4(view, network);
}
