import type { NetworkLayer } from '@softnet/contract';
import type { Delivery, LayerHooks, SelfCopies, Unmerger } from '@softnet/inet';
import type { Forwarding } from './forwarding.ts';
import type { Fragments } from './fragments.ts';
import type { GroupTraffic } from './group-traffic.ts';
import type { IcmpSender } from './icmp-sender.ts';
import type { LinkLocalDevices } from './link-local/link-local-devices.ts';
import type { Options } from './options.ts';
import type { Output } from './output.ts';
import type { RedirectSender } from './redirect-sender.ts';
import type { Redirects } from './redirects.ts';

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
