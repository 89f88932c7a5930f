import type { HookChain, ModuleContext, Skb, SoftnetModule } from '@softnet/contract';
import { CHECKSUM, Dst, HOOK_FAMILY, HOOK_POINT, HOOK_PRIORITY, Hook, Module, VERDICT } from '@softnet/contract';
import { gather } from '@softnet/skb';
import {
  dstPort,
  finishIpv4,
  ipv4FragmentField,
  ipv4Tos,
  ipv6NextHeader,
  setDstPort,
  setIpv4Tos,
  setIpv6TrafficClassAndFlowLabel,
  setUdpChecksum,
  udpChecksum,
  updateChecksum16,
} from '@softnet/wire';

/** Of IPv6 and UDP. */
const HEADER_BYTES = 48;
const NARROW_BYTES = 1280;
/** DSCP of class CS3, ECN left alone. */
const DSCP = 0x60;

/** Changes headers of what is forwarded, as NAT and mangling do: the class, the port, the mark. */
@Module({ name: 'test-editor', version: '1.0.0', provides: [Hook] })
export class EditingModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const reason = ctx.dropReason('test.editor', 'there is no memory for a head of its own');
    for (const family of [HOOK_FAMILY.IPV4, HOOK_FAMILY.IPV6]) {
      const run = (skb: Skb, _chain: HookChain): number => {
        if (!skb.memory.pool.makeRoom(skb, 0, 0) || !gather(skb, Math.min(skb.len, HEADER_BYTES))) return VERDICT.DROP;
        skb.mark = 77;
        if (family === HOOK_FAMILY.IPV4) editIpv4(skb);
        else editIpv6(skb);
        return VERDICT.ACCEPT;
      };
      ctx.contribute(Hook, { name: 'edit', family, point: HOOK_POINT.FORWARD, priority: HOOK_PRIORITY.MANGLE, reason, run }, 'corridor');
    }
  }
}

/** Has what is forwarded go by a way that is narrower than the route said, as a policy or a tunnel does. */
@Module({ name: 'test-narrower', version: '1.0.0', provides: [Hook] })
export class NarrowingModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const reason = ctx.dropReason('test.narrower', 'never');
    const run = (skb: Skb): number => {
      const dst = skb.dst!;
      skb.dst = Object.assign(new Dst(dst.generation, dst.input), dst, { mtuBytes: NARROW_BYTES });
      return VERDICT.ACCEPT;
    };
    for (const family of [HOOK_FAMILY.IPV4, HOOK_FAMILY.IPV6]) {
      ctx.contribute(Hook, { name: 'narrow', family, point: HOOK_POINT.FORWARD, priority: HOOK_PRIORITY.FILTER, reason, run }, 'corridor');
    }
  }
}

function editIpv4(skb: Skb): void {
  const { memory, network } = skb;
  const { view } = memory;
  setIpv4Tos(view, network, (ipv4Tos(view, network) & 3) | DSCP);
  finishIpv4(view, network);
  // Later fragments have no ports.
  if (view.getUint8(network) === 0x45 && (ipv4FragmentField(view, network) & 0x1fff) === 0) editPort(skb, network + 20);
}

function editIpv6(skb: Skb): void {
  const { memory, network } = skb;
  const { view } = memory;
  const word = view.getInt32(network);
  setIpv6TrafficClassAndFlowLabel(view, network, ((word >>> 20) & 3) | DSCP, word & 0xfffff);
  if (ipv6NextHeader(view, network) === 17) editPort(skb, network + 40);
}

/** One more. A sum that is to be finished is that of the pseudo-header alone, which has no ports. */
function editPort(skb: Skb, at: number): void {
  const { view } = skb.memory;
  if (at + 8 > skb.tail) return;
  const from = dstPort(view, at);
  setDstPort(view, at, from + 1);
  if (skb.checksum === CHECKSUM.PARTIAL || udpChecksum(view, at) === 0) return;
  const sum = updateChecksum16(udpChecksum(view, at), from, from + 1);
  setUdpChecksum(view, at, sum === 0 ? 0xffff : sum);
}
