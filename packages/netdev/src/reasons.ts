import type { DropReason, ModuleContext } from '@softnet/contract';

/** Why netdev drops packets. */
const REASONS = Object.freeze({
  'netdev.down': 'the device is administratively down (RFC 2863 §3.1.13)',
  'netdev.no-carrier': 'the link of the device is down (RFC 2863 §3.1.12)',
  'netdev.link-header': 'no link header that is understood: cut off, or IEEE 802.3 with a length for a type (IEEE 802.3 §3.2.6)',
  'netdev.otherhost': 'for the link address of another host (IEEE 802.3 §3.2.3)',
  'netdev.vlan': 'of a VLAN that no device here is a member of (IEEE 802.1Q §6.9)',
  'netdev.ethertype': 'nobody handles this ethertype',
  'netdev.fault': 'code that was asked about it threw: its link layer, its part in merging, a tap',
  'netdev.hook': 'came back to an ingress or egress hook that is closed, or was repeated for ever',
  'netdev.queue-full': 'as many packets waited for the device as txQueueLen allows',
  'netdev.queue-reset': 'waited for a device that went down, lost its carrier or was removed',
  'netdev.segment': 'stands for several packets, which neither the device nor the handler of its ethertype can cut',
  'netdev.linearize': 'the device takes packets in one piece only, and there was no memory for one',
  'netdev.checksum': 'its checksum could not be finished: no memory, or its field lies outside',
  'netdev.vlan-tag': 'there was no memory to put its VLAN tag in',
  'backlog.full': 'as many packets waited as net.core.netdev_max_backlog allows',
  'backlog.depth': 'went through the backlog too often: tunnels in tunnels, or a loop of them',
  'backlog.no-device': 'its device went while it waited',
  'backlog.no-layer': 'its network layer went while it waited',
} as const);

type ReasonName = keyof typeof REASONS;
export type Reasons = Readonly<Record<ReasonName, DropReason>>;

/** Registers them all. */
export function registerReasons(ctx: ModuleContext): Reasons {
  const entries = Object.entries(REASONS).map(([name, text]) => [name, ctx.dropReason(name, text)]);
  return Object.fromEntries(entries) as Reasons;
}
