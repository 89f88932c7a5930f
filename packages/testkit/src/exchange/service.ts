import type { Held, Owner } from '@softnet/contract';
import { definePoint, defineService } from '@softnet/contract';
import type { PacketHeader } from './wire.ts';

/** A packet as it comes up. */
export interface Packet extends PacketHeader {
  readonly from: number;
  readonly to: number;
}

/** Which packets belong to a flow. Remote 0 and port 0: from anybody. */
export interface FlowKey {
  readonly protocol: number;
  /** 0 in a claim: a free one is chosen. */
  readonly localPort: number;
  readonly remote: number;
  readonly remotePort: number;
}

/** The operations that an object brings along: packets reach it whichever generation of its module made it. */
export interface Receiver {
  /** Integer of the module whose code this is, for `CurrentOwner`. */
  readonly owner: number;
  receive(packet: Packet): void;
}

/** An entry of the flow table; kind 'flow'. Its owner is told when it moves to the next generation of the exchange. */
export interface Flow extends Held, FlowKey {
  /** After a move: `flow.attach(receiver)`, or its packets are dropped. */
  attach(receiver: Receiver): void;
  release(): void;
}

/** The right to a port; kind 'port'. It stands for a door, so it is parked, and holds nothing up. */
export interface BoundPort extends Held {
  readonly protocol: number;
  readonly port: number;
  release(): void;
}

/** A cached way to an address, derived from the object that uses it; kind 'route-use'. */
export interface RouteUse extends Held {
  readonly remote: number;
  /** False: dropped. */
  output(header: PacketHeader): boolean;
  release(): void;
}

/** The corridor of an exchange. */
export interface Exchange {
  /** Own addresses. */
  readonly addresses: readonly number[];
  /** Sends one packet, without keeping a way. False: dropped. */
  send(remote: number, header: PacketHeader): boolean;
  /** The way to an address, for as long as `holder` lives. */
  route(remote: number, holder: Held): RouteUse;
  /**
   * Enters a flow into the table: all its packets go to `receiver`.
   * @throws NetError EADDRINUSE when it is there, EADDRNOTAVAIL when no port is free, ESHUTDOWN when the exchange leaves.
   */
  claim(key: FlowKey, receiver: Receiver, owner: Owner, place: string): Flow;
  /** The same for an object that was handed over: takes the place of the one that is there. */
  reclaim(key: FlowKey, receiver: Receiver, owner: Owner, place: string): Flow;
  /** {@link ExchangeDoor.bind} for a listener that was handed over. */
  rebind(protocol: number, port: number, owner: Owner): BoundPort;
}
export const Exchange = defineService<Exchange>({ name: 'TestExchange', version: '1.0.0', errno: 'ENETUNREACH' });

/** The door of an exchange. */
export interface ExchangeDoor {
  /**
   * Takes a port for oneself; 0: a free one. Packets that match no flow still go to the protocol's door.
   * @throws NetError EADDRINUSE, EADDRNOTAVAIL, EINVAL.
   */
  bind(protocol: number, port: number, owner: Owner): BoundPort;
}
export const ExchangeDoor = defineService<ExchangeDoor>({ name: 'TestExchangeDoor', version: '1.0.0', errno: 'ENETUNREACH' });

/** A protocol's door: packets of its number that match no flow. */
export interface ProtocolDoor {
  readonly protocol: number;
  unmatched(packet: Packet): void;
}
export const ProtocolDoor = definePoint<ProtocolDoor>({ name: 'TestProtocolDoor', version: '1.0.0' });
