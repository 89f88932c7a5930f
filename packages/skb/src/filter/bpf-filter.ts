import type { PacketFilter, Skb } from '@softnet/contract';
import type { FilterFacts } from './filter-facts.ts';
import { NO_FACTS } from './filter-facts.ts';
import type { FilterProgram } from './filter-program.ts';
import { readProgram } from './filter-program.ts';
import { findAttribute, findNested } from './netlink-attribute.ts';
import { ANCILLARY, KNOWN, MEMORY_WORDS, OP } from './opcodes.ts';
import { load, loadable, NOWHERE, placeOf } from './packet-load.ts';
import { PayloadOffset } from './payload-offset.ts';

/** More than any packet has: what a program returns that says "all of it". A small integer. */
const ALL = 0x3fffffff;

/**
 * A filter of classic BPF, as SO_ATTACH_FILTER takes it, and as `tcpdump -dd` prints it.
 * @param instructions `struct sock_filter`s, eight bytes each, little-endian. Null: not sound, by Linux's rules (EINVAL).
 * @param facts what it may ask of its kernel.
 */
export function loadFilter(instructions: Uint8Array, facts: FilterFacts = NO_FACTS): PacketFilter | null {
  const program = readProgram(instructions);
  return program === null ? null : new BpfFilter(program, facts);
}

/** Runs one program over packets, whose bytes may lie in fragments. A load of bytes that are not there, and a division by zero, end it with 0. */
class BpfFilter implements PacketFilter {
  readonly #program: FilterProgram;
  readonly #facts: FilterFacts;
  readonly #payload = new PayloadOffset();
  readonly #memory = new Int32Array(MEMORY_WORDS);
  /** Of the program that runs. int32. */
  #a = 0;
  #x = 0;

  constructor(program: FilterProgram, facts: FilterFacts) {
    this.#program = program;
    this.#facts = facts;
  }

  run(skb: Skb): number {
    const { codes, whenTrue, whenFalse, operands } = this.#program;
    this.#a = 0;
    this.#x = 0;
    for (let at = 0; ; at++) {
      const code = codes[at]!;
      const operand = operands[at]!;
      switch (code & 7) {
        case 0:
          if (!this.#loadA(code, operand, skb)) return 0;
          break;
        case 1:
          if (!this.#loadX(code, operand, skb)) return 0;
          break;
        case 2:
          this.#memory[operand] = this.#a;
          break;
        case 3:
          this.#memory[operand] = this.#x;
          break;
        case 4:
          if (!this.#compute(code, (code & 8) === 0 ? operand : this.#x)) return 0;
          break;
        case 5:
          if (code === OP.JA) at += operand;
          else at += this.#holds(code, (code & 8) === 0 ? operand : this.#x) ? whenTrue[at]! : whenFalse[at]!;
          break;
        case 6: {
          const given = code === OP.RET_A ? this.#a : operand;
          return given < 0 || given > ALL ? ALL : given;
        }
        default:
          if (code === OP.TAX) this.#x = this.#a;
          else this.#a = this.#x;
      }
    }
  }

  #loadA(code: number, operand: number, skb: Skb): boolean {
    switch (code) {
      case OP.LD_IMM:
        this.#a = operand;
        return true;
      case OP.LD_MEM:
        this.#a = this.#memory[operand]!;
        return true;
      case OP.LD_LEN:
        this.#a = skb.len;
        return true;
      case OP.LD_W_IND:
      case OP.LD_H_IND:
      case OP.LD_B_IND:
        return this.#loadBytes(skb, placeOf(skb, (this.#x + operand) | 0), widthOf(code));
    }
    if (operand < ANCILLARY || operand >= 0) return this.#loadBytes(skb, placeOf(skb, operand), widthOf(code));
    this.#a = this.#known(skb, operand - ANCILLARY);
    return true;
  }

  #loadBytes(skb: Skb, place: number, lenBytes: number): boolean {
    if (place === NOWHERE || !loadable(skb, place, lenBytes)) return false;
    this.#a = load(skb, place, lenBytes);
    return true;
  }

  #loadX(code: number, operand: number, skb: Skb): boolean {
    if (code === OP.LDX_IMM) this.#x = operand;
    else if (code === OP.LDX_MEM) this.#x = this.#memory[operand]!;
    else if (code === OP.LDX_LEN) this.#x = skb.len;
    else {
      const place = placeOf(skb, operand);
      if (place === NOWHERE || !loadable(skb, place, 1)) return false;
      this.#x = (load(skb, place, 1) & 0xf) << 2;
    }
    return true;
  }

  /** False: a division by zero. Numbers are unsigned. */
  #compute(code: number, by: number): boolean {
    const a = this.#a;
    switch (code & 0xf0) {
      case 0x00:
        this.#a = (a + by) | 0;
        return true;
      case 0x10:
        this.#a = (a - by) | 0;
        return true;
      case 0x20:
        this.#a = Math.imul(a, by);
        return true;
      case 0x30:
        if (by === 0) return false;
        this.#a = ((a >>> 0) / (by >>> 0)) | 0;
        return true;
      case 0x40:
        this.#a = a | by;
        return true;
      case 0x50:
        this.#a = a & by;
        return true;
      // DEVIATION: a register of 32 and more shifts by its low five bits, as machines do; Linux leaves it open.
      case 0x60:
        this.#a = a << by;
        return true;
      case 0x70:
        this.#a = (a >>> by) | 0;
        return true;
      case 0x80:
        this.#a = -a | 0;
        return true;
      case 0x90:
        if (by === 0) return false;
        this.#a = ((a >>> 0) % (by >>> 0)) | 0;
        return true;
      default:
        this.#a = a ^ by;
        return true;
    }
  }

  #holds(code: number, to: number): boolean {
    const a = this.#a;
    switch (code & 0xf0) {
      case 0x10:
        return a === to;
      case 0x20:
        return a >>> 0 > to >>> 0;
      case 0x30:
        return a >>> 0 >= to >>> 0;
      default:
        return (a & to) !== 0;
    }
  }

  /** Linux's `SKF_AD_*`. */
  #known(skb: Skb, which: number): number {
    switch (which) {
      case KNOWN.PROTOCOL:
        return skb.protocol;
      case KNOWN.PKTTYPE:
        return skb.type;
      case KNOWN.IFINDEX:
        return skb.ifindex;
      case KNOWN.MARK:
        return skb.mark;
      case KNOWN.QUEUE:
        return skb.queue;
      case KNOWN.RXHASH:
        return skb.hash;
      case KNOWN.ALU_XOR_X:
        return this.#a ^ this.#x;
      case KNOWN.VLAN_TAG:
        return skb.vlan & 0xffff;
      case KNOWN.VLAN_TAG_PRESENT:
        return skb.vlan === 0 ? 0 : 1;
      case KNOWN.VLAN_TPID:
        return skb.vlan >>> 16;
      case KNOWN.HATYPE:
        return this.#facts.hardwareType(skb.ifindex);
      case KNOWN.RANDOM:
        return this.#facts.random() | 0;
      case KNOWN.PAY_OFFSET:
        return this.#payload.of(skb);
      case KNOWN.NLATTR:
        return findAttribute(skb, this.#a >>> 0, this.#x >>> 0);
      case KNOWN.NLATTR_NEST:
        return findNested(skb, this.#a >>> 0, this.#x >>> 0);
      // CPU: there is one.
      default:
        return 0;
    }
  }
}

function widthOf(code: number): number {
  return (code & 0x18) === 0 ? 4 : (code & 0x18) === 8 ? 2 : 1;
}
