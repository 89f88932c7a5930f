import type { AddressWords, InterfaceAddress } from '@softnet/contract';
import type { DuplicateDetection } from '../dad/duplicate-detection.ts';

/** Who has made an address. */
export const ORIGIN = Object.freeze({
  /** `ip addr add`. */
  HAND: 0,
  /** The device, coming up: fe80::, ::1. */
  LINK: 1,
  /** Of an advertised prefix (RFC 4862 §5.5). */
  PREFIX: 2,
  /** By chance, beside another (RFC 8981). */
  TEMPORARY: 3,
} as const);

/** Routers that are remembered to have advertised an address's prefix. */
const MAX_ADVERTISERS = 8;

/** What this layer keeps of an address: its `ext`. */
export class AddressState {
  /** One of {@link ORIGIN}. */
  readonly origin: number;
  /** Null: duplicates are not looked for. */
  detection: DuplicateDetection | null = null;
  /** How many before it were taken: RFC 7217's DAD_Counter, or tries by chance (RFC 8981 §3.4). */
  attempt = 0;
  /** Kernel ms. */
  createdMs = 0;
  /** Of a temporary one: by how much shorter it is preferred (RFC 8981 §3.8), ms. */
  desyncMs = 0;
  /** Of a temporary one: its successor is there. */
  isSucceeded = false;
  /** It came with a generation that was leaving: whoever adds it by hand again has it. */
  isInherited = false;
  /** When another host was last heard to have it too; kernel ms. */
  conflictMs = Number.NEGATIVE_INFINITY;
  /** Routers that advertised its prefix, the last one first (RFC 6724 §5, rule 5.5). Replaced whole. */
  advertisers: readonly AddressWords[] = [];

  constructor(origin: number, createdMs: number) {
    this.origin = origin;
    this.createdMs = createdMs;
  }

  /** One of its prefix, or of its prefix again. Returns whether it is a new one. */
  advertisedBy(router: AddressWords): boolean {
    const others = this.advertisers.filter((each) => each.some((word, index) => word !== router[index]));
    const isNews = others.length === this.advertisers.length;
    this.advertisers = [router, ...others].slice(0, MAX_ADVERTISERS);
    return isNews;
  }
}

/** Of an address of this layer. */
export function stateOf({ ext }: InterfaceAddress): AddressState {
  return ext as AddressState;
}
