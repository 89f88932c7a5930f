import type { Held } from '@softnet/contract';
import { definePoint, defineService } from '@softnet/contract';
import type { Cable } from './cable.ts';

/** The corridor of a link: what those inside need. */
export interface Link {
  /** Own addresses, in the order of plugging. */
  readonly addresses: readonly number[];
  /** Puts a payload on the cable that reaches `to`. False: dropped, and counted. Never calls receive. */
  transmit(to: number, payload: Uint8Array): boolean;
}
export const Link = defineService<Link>({ name: 'TestLink', version: '1.0.0', errno: 'ENETDOWN' });

/** The door of a link. */
export interface LinkDoor {
  /**
   * Plugs a cable in. The cable owns the port: it follows it to the next generation of the link.
   * @throws NetError EADDRINUSE when the cable has that address already, EINVAL for a bad address.
   */
  plug(cable: Cable, address: number): LinkPort;
}
export const LinkDoor = defineService<LinkDoor>({ name: 'TestLinkDoor', version: '1.0.0', errno: 'ENETDOWN' });

/** Where a cable is plugged in: an object of kind 'port'. It holds nothing up. */
export interface LinkPort extends Held {
  readonly address: number;
  unplug(): void;
}

/** Whoever wants the frames that a link receives. */
export interface LinkInput {
  input(from: number, to: number, payload: Uint8Array): void;
}
export const LinkInput = definePoint<LinkInput>({ name: 'TestLinkInput', version: '1.0.0' });
