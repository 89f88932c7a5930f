import type { NetworkLayer } from '@softnet/contract';
import type { Delivery, LayerHooks, SelfCopies, Unmerger } from '@softnet/inet';
import type { IcmpSender } from './icmp/icmp-sender.ts';
import type { RedirectSender } from './icmp/redirect-sender.ts';
import type { Redirects } from './icmp/redirects.ts';
import type { LinkLocalDevices } from './link-local/link-local-devices.ts';
import type { Forwarding } from './path/forwarding.ts';
import type { Fragments } from './path/fragments.ts';
import type { GroupTraffic } from './path/group-traffic.ts';
import type { Options } from './path/options.ts';
import type { Output } from './path/output.ts';

/** Parts of the layer that call one another: filled once, before the first packet. */
export class Joints {
  layer!: NetworkLayer;
  hooks!: LayerHooks;
  delivery!: Delivery;
  fragments!: Fragments;
  icmp!: IcmpSender;
  redirects!: Redirects;
  redirectSender!: RedirectSender;
  output!: Output;
  forwarding!: Forwarding;
  options!: Options;
  groups!: GroupTraffic;
  selfCopies!: SelfCopies;
  unmerger!: Unmerger;
  /** Null until there is one: settings may be set before. */
  linkLocal: LinkLocalDevices | null = null;
}
