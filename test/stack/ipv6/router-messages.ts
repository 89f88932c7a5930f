import type { RouterMessage } from '@softnet/ipv6';
import { emitRedirect, emitRouter } from '@softnet/ipv6';
import type { IcmpMessage, Ipv6Packet } from '@softnet/wire';
import { parseIpv6, parseMac } from '@softnet/wire';
import type { RawPeer } from './raw-peer.ts';
import { PEER_MAC } from './raw-peer.ts';

/** The router's link-local address. */
export const ROUTER = 'fe80::9';

/** A router advertisement as a router of 30 minutes makes it. */
export function router(message: Partial<RouterMessage> = {}): IcmpMessage {
  return emitRouter({
    ...{ hopLimit: 0, managed: false, otherConfig: false, preference: 0, lifetimeS: 1800, reachableMs: 0, retransMs: 0 },
    ...{ linkAddress: parseMac(PEER_MAC), mtuBytes: 0, prefixes: [], routes: [], nameServers: [], searchLists: [] },
    ...message,
  });
}

export function redirect(target: string, destination: string, linkAddress: string | null = PEER_MAC): IcmpMessage {
  const mac = linkAddress === null ? null : parseMac(linkAddress);
  return emitRedirect({ target: parseIpv6(target)!, destination: parseIpv6(destination)!, linkAddress: mac, packet: new Uint8Array(0) });
}

/** With the hop limit of Neighbor Discovery, to all nodes, from the router unless told. */
export function sendNd(peer: RawPeer, message: Partial<IcmpMessage>, packet: Partial<Ipv6Packet> = {}): void {
  peer.icmp(message, { hopLimit: 255, src: ROUTER, dst: 'ff02::1', ...packet });
}

/** With other options behind its own. */
export function withOptions(message: IcmpMessage, ...options: readonly (readonly number[])[]): IcmpMessage {
  return { ...message, payload: Uint8Array.from([...message.payload, ...options.flat()]) };
}
