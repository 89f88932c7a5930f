import type { ModuleContext, NetDevice, Plain, Skb, SoftnetModule } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  Dst,
  ETHERTYPE,
  EthertypeHandler,
  LightweightTunnel,
  Module,
  NetError,
  NetworkLayer,
  TRANSMIT,
} from '@softnet/contract';
import { gather, pull, push } from '@softnet/skb';
import { BurstCutter } from './burst-cutter.ts';
import { layerIndex } from './layer-index.ts';
import { stackedUses } from './stacked-uses.ts';

/** A label stack entry (RFC 3032 §2.1): label, bottom of stack, TTL. */
export const TAG_BYTES = 4;
const BOTTOM = 0x100;
const TTL = 64;

/**
 * MPLS as far as it shows that it fits: `ip route add ... encap tag LABEL` puts a label on each packet behind the network layer's hooks and
 * fragments; what comes with one loses it and begins as the layer's. A stranger's module: of ours it knows the contract and skb.
 */
@Module({ name: 'tag', version: '1.0.0', provides: [LightweightTunnel, EthertypeHandler] })
export class TagModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const uses = stackedUses(ctx, 'tagged', ({ dst }) => `tagged, by ${dst?.device?.name ?? 'nothing'}`);
    const noRoom = ctx.dropReason('tag.no-room', 'there is no memory for the label');
    const cutter = new BurstCutter(ctx.contributions(EthertypeHandler));
    ctx.contribute(LightweightTunnel, { name: 'tag', stack: (child, config) => stack(child, labelOf(config)) }, 'corridor');
    ctx.contribute(EthertypeHandler, this.#handler(ctx), 'corridor');

    function stack(child: Dst, label: number): Dst {
      const dst = new Dst(child.generation, child.input);
      dst.family = child.family;
      dst.type = child.type;
      dst.device = child.device;
      dst.child = child;
      dst.uses = uses;
      dst.headroomBytes = child.headroomBytes + TAG_BYTES;
      dst.tailroomBytes = child.tailroomBytes;
      dst.mtuBytes = child.mtuBytes - TAG_BYTES;
      dst.output = child.output;
      const finish = (skb: Skb): number => {
        if (skb.gsoSize !== 0) return cutter.each(skb, finish);
        const { pool } = skb.memory;
        if (!pool.makeRoom(skb, child.headroomBytes + TAG_BYTES, 0)) {
          pool.drop(skb, noRoom);
          return TRANSMIT.DROPPED;
        }
        skb.memory.view.setInt32(push(skb, TAG_BYTES), (label << 12) | BOTTOM | TTL);
        skb.protocol = ETHERTYPE.MPLS;
        skb.dst = child;
        return child.finish(skb);
      };
      dst.finish = finish;
      return dst;
    }
  }

  #handler(ctx: ModuleContext): EthertypeHandler {
    const layers = ctx.contributions(NetworkLayer);
    const bad = ctx.dropReason('tag.bad', 'too short for a label, or for nobody');
    const input = (skb: Skb, device: NetDevice): void => {
      const { items, owners } = layers;
      const layer = layerIndex(layers, ADDRESS_FAMILY.INET);
      if (layer < 0 || skb.len < TAG_BYTES || !gather(skb, TAG_BYTES)) {
        skb.memory.pool.drop(skb, bad);
        return;
      }
      skb.network = pull(skb, TAG_BYTES);
      skb.protocol = ETHERTYPE.IPV4;
      const { current } = ctx;
      const caller = current.id;
      current.id = owners[layer]!;
      items[layer]!.receive(skb, device);
      current.id = caller;
    };
    return { name: 'tag', ethertype: ETHERTYPE.MPLS, input, dissect: null, gro: null, segment: null };
  }
}

function labelOf(config: Plain): number {
  if (typeof config === 'number' && Number.isInteger(config) && config >= 16 && config < 1 << 20) return config;
  throw new NetError('EINVAL', `encap tag takes a label, 16 to ${(1 << 20) - 1}, got ${String(config)}`);
}
