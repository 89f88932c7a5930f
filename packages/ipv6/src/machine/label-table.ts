import type { AddressLabel } from '@softnet/contract';
import { NetError } from '@softnet/contract';
import { formatIpv6 } from '@softnet/wire';
import { commonPrefixLen, isMapped, isSame, prefixOf, SCOPE, scopeOf } from './address-kind.ts';

/** Which label an address has on an interface (RFC 6724 §2.1). */
export interface Labels {
  labelOf(word0: number, word1: number, word2: number, word3: number, ifindex: number): number;
}

/** Lines that there may be: each is looked at for each choice of a source. */
const MAX_LABELS = 256;
/** Linux's: it means that there is none. */
const NO_LABEL = 0xffffffff;

/** RFC 6724 §2.1, with the longest prefix first. */
const USUAL: readonly AddressLabel[] = Object.freeze([
  { prefix: [0, 0, 0, 1], prefixLen: 128, label: 0, ifindex: 0 },
  { prefix: [0, 0, 0xffff, 0], prefixLen: 96, label: 4, ifindex: 0 },
  { prefix: [0, 0, 0, 0], prefixLen: 96, label: 3, ifindex: 0 },
  { prefix: [0x20010000, 0, 0, 0], prefixLen: 32, label: 5, ifindex: 0 },
  { prefix: [0x20020000, 0, 0, 0], prefixLen: 16, label: 2, ifindex: 0 },
  { prefix: [0x3ffe0000, 0, 0, 0], prefixLen: 16, label: 12, ifindex: 0 },
  { prefix: [0xfec00000 | 0, 0, 0, 0], prefixLen: 10, label: 11, ifindex: 0 },
  { prefix: [0xfc000000 | 0, 0, 0, 0], prefixLen: 7, label: 13, ifindex: 0 },
  { prefix: [0, 0, 0, 0], prefixLen: 0, label: 1, ifindex: 0 },
] as const);

/** The policy table of this host. Linux's `ip6addrlbl_table`. */
export class LabelTable implements Labels {
  /** As they are asked: the longest prefix first; of two the one that is of a device. Replaced whole. */
  items: readonly AddressLabel[] = USUAL;

  labelOf(word0: number, word1: number, word2: number, word3: number, ifindex: number): number {
    const { items } = this;
    if (items === USUAL) return usualLabelOf(word0, word1, word2, word3);
    for (let i = 0; i < items.length; i++) {
      const each = items[i]!;
      if (each.ifindex !== 0 && each.ifindex !== ifindex) continue;
      if (commonPrefixLen(each.prefix, word0, word1, word2, word3) >= each.prefixLen) return each.label;
    }
    return NO_LABEL;
  }

  /** @throws NetError EINVAL, EEXIST, ENOBUFS. */
  add({ prefix: said, prefixLen, label, ifindex }: AddressLabel): void {
    if (!isWhole(prefixLen, 128)) throw fault('EINVAL', `a prefix has 0 to 128 bits, not ${prefixLen}`);
    if (!isWhole(label, NO_LABEL - 1)) throw fault('EINVAL', `a label is 0 to 4294967294, not ${label}`);
    const entry = { prefix: prefixOf(said, prefixLen), prefixLen, label, ifindex };
    const before = this.items.find((each) => isPlace(each, entry));
    if (before !== undefined) throw fault('EEXIST', `${textOf(before)} has label ${before.label}: remove it first`);
    if (this.items.length >= MAX_LABELS) throw fault('ENOBUFS', `there are ${MAX_LABELS} labels already, and no more may be`);
    this.items = [...this.items, entry].sort(byOrder);
  }

  /** @throws NetError ENOENT. */
  remove({ prefix: said, prefixLen, ifindex }: Omit<AddressLabel, 'label'>): void {
    const place = { prefix: prefixOf(said, prefixLen), prefixLen, ifindex };
    const left = this.items.filter((each) => !isPlace(each, place));
    if (left.length === this.items.length) throw fault('ENOENT', `${textOf(place)} has no label of its own`);
    this.items = left;
  }
}

/** As {@link USUAL} has it, without a look at each line. */
export function usualLabelOf(word0: number, word1: number, word2: number, word3: number): number {
  if ((word0 | word1 | word2) === 0) return word3 === 1 ? 0 : 3;
  if (isMapped(word0, word1, word2)) return 4;
  if (word0 >>> 16 === 0x2002) return 2;
  if (word0 === 0x20010000) return 5;
  if (word0 >>> 25 === 0xfc >>> 1) return 13;
  if (scopeOf(word0, word1, word2, word3) === SCOPE.SITE && word0 >>> 24 !== 0xff) return 11;
  return word0 >>> 16 === 0x3ffe ? 12 : 1;
}

/** Where no table is. */
export const USUAL_LABELS: Labels = Object.freeze({ labelOf: usualLabelOf });

function byOrder(a: AddressLabel, b: AddressLabel): number {
  return b.prefixLen - a.prefixLen || Number(a.ifindex === 0) - Number(b.ifindex === 0);
}

function isPlace(a: Omit<AddressLabel, 'label'>, b: Omit<AddressLabel, 'label'>): boolean {
  return a.prefixLen === b.prefixLen && a.ifindex === b.ifindex && isSame(a.prefix, ...b.prefix);
}

function isWhole(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}

function textOf({ prefix, prefixLen, ifindex }: Omit<AddressLabel, 'label'>): string {
  return `${formatIpv6(...prefix)}/${prefixLen}${ifindex === 0 ? '' : ` on device ${ifindex}`}`;
}

function fault(code: 'EINVAL' | 'EEXIST' | 'ENOBUFS' | 'ENOENT', text: string): NetError {
  return new NetError(code, text, { syscall: 'addrlabel' });
}
