import type { Ipv6Link } from './ipv6-link.ts';

/** What becomes of a device, as IPv6 has it. */
export const LINK_EVENT = Object.freeze({
  /** IPv6 is on it, which may be down yet. */
  BEGIN: 1,
  /** Administratively up: its groups are joined, its link-local address is there, perhaps tentative. */
  UP: 2,
  /** It has a carrier, and a link-local address that may be used: again after each time that it had none. */
  READY: 3,
  /** It is down, though its addresses are there still; after that UP again, or END. */
  DOWN: 4,
  /** IPv6 is on it no more: unregistered, disabled, or with an MTU below 1280. */
  END: 5,
  /** It has another link address. */
  ADDRESS: 6,
  /** `forwarding` is another there. */
  FORWARDING: 7,
} as const);

/** A part of this module that follows devices. Told at once, in the order in which parts were named. */
export interface LinkListener {
  /** @param event one of {@link LINK_EVENT}. */
  linkChanged(link: Ipv6Link, event: number): void;
}
