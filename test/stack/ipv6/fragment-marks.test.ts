import type { ModuleContext, Skb, SoftnetModule } from '@softnet/contract';
import { HOOK_FAMILY, HOOK_POINT, Hook, Module, VERDICT } from '@softnet/contract';
import { ipv6FlowLabel, ipv6TrafficClass } from '@softnet/wire';
import { expect, test } from 'vitest';
import { fragment, RawPeer } from './raw-peer.ts';

const seen: number[][] = [];

/** Sees the traffic class of what is for this host. */
@Module({ name: 'test-marks', version: '1.0.0', provides: [Hook] })
class MarksModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const run = ({ memory: { view }, network }: Skb): number => {
      if (view.getUint8(network + 6) === 253) seen.push([ipv6TrafficClass(view, network), ipv6FlowLabel(view, network)]);
      return VERDICT.ACCEPT;
    };
    const at = { family: HOOK_FAMILY.IPV6, point: HOOK_POINT.INPUT, priority: 0 };
    ctx.contribute(Hook, { name: 'marks', ...at, reason: ctx.dropReason('test.marks', ''), run }, 'door');
  }
}

test('a mark on one fragment is the packet’s (RFC 3168 §5.3)', async () => {
  const peer = await RawPeer.boot();
  await peer.net.run(peer.host.kernel.load(MarksModule));
  let id = 1;
  const datagram = (...classes: readonly number[]): void => {
    id++;
    for (const [i, trafficClass] of classes.entries()) {
      const headers = [fragment(i * 8, i < classes.length - 1, id)];
      peer.packet({ protocol: 253, trafficClass, flowLabel: 0x12345, headers, payload: new Uint8Array(8) });
    }
  };
  datagram(0xb8 | 2, 0xb8 | 3, 0xb8 | 2);
  datagram(1, 1);
  datagram(0, 0);
  peer.drops();
  datagram(2, 0);
  await peer.net.pass(1);
  expect(seen).toEqual([
    [0xb8 | 3, 0x12345],
    [1, 0x12345],
    [0, 0x12345],
  ]);
  expect(peer.drops()).toContain('ipv6.fragment-ecn 2');
  await peer.end();
});
