import { ANCILLARY, isJump, isReturn, KNOWN, MAX_INSTRUCTIONS, MEMORY_WORDS, OP } from './opcodes.ts';

/** Bytes of a `struct sock_filter`. */
const INSTRUCTION_BYTES = 8;
const CODES: ReadonlySet<number> = new Set(Object.values(OP));
const KNOWN_OFFSETS: ReadonlySet<number> = new Set(Object.values(KNOWN));

/** Instructions in columns. */
export interface FilterProgram {
  readonly count: number;
  readonly codes: Uint16Array;
  /** How many instructions are left out where a condition holds, and where it does not. */
  readonly whenTrue: Uint8Array;
  readonly whenFalse: Uint8Array;
  readonly operands: Int32Array;
}

/** From `struct sock_filter`s, little-endian; null: it is none that may be run (Linux's `bpf_check_classic`). */
export function readProgram(bytes: Uint8Array): FilterProgram | null {
  const count = bytes.length / INSTRUCTION_BYTES;
  if (!Number.isInteger(count) || count < 1 || count > MAX_INSTRUCTIONS) return null;
  const program = {
    ...{ count, codes: new Uint16Array(count), whenTrue: new Uint8Array(count), whenFalse: new Uint8Array(count) },
    operands: new Int32Array(count),
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < count; i++) {
    const at = i * INSTRUCTION_BYTES;
    program.codes[i] = view.getUint16(at, true);
    program.whenTrue[i] = view.getUint8(at + 2);
    program.whenFalse[i] = view.getUint8(at + 3);
    program.operands[i] = view.getInt32(at + 4, true);
  }
  return isSound(program) ? program : null;
}

/** Ends always, reads nothing that it has not written, and divides by no constant that is zero. */
function isSound(program: FilterProgram): boolean {
  const { count, codes } = program;
  for (let i = 0; i < count; i++) if (!isSoundAt(program, i)) return false;
  return isReturn(codes[count - 1]!) && readsWhatIsWritten(program);
}

function isSoundAt({ count, codes, whenTrue, whenFalse, operands }: FilterProgram, at: number): boolean {
  const code = codes[at]!;
  const operand = operands[at]!;
  const left = count - at - 1;
  if (!CODES.has(code)) return false;
  switch (code) {
    case OP.DIV_K:
    case OP.MOD_K:
      return operand !== 0;
    case OP.LSH_K:
    case OP.RSH_K:
      return operand >>> 0 < 32;
    case OP.LD_MEM:
    case OP.LDX_MEM:
    case OP.ST:
    case OP.STX:
      return operand >>> 0 < MEMORY_WORDS;
    case OP.JA:
      return operand >>> 0 < left;
    case OP.LD_W_ABS:
    case OP.LD_H_ABS:
    case OP.LD_B_ABS:
      return isOffset(operand);
  }
  return !isJump(code) || (whenTrue[at]! < left && whenFalse[at]! < left);
}

/** Of the packet, of one of its headers, or of something that is known of it. Below the headers there is nothing, as a program finds when it runs. */
function isOffset(offset: number): boolean {
  return offset >= 0 || offset < ANCILLARY || KNOWN_OFFSETS.has(offset - ANCILLARY);
}

/** On each way to a word that is read, it was written. Ways lead forward only, so one look at each instruction is enough. */
function readsWhatIsWritten({ count, codes, whenTrue, whenFalse, operands }: FilterProgram): boolean {
  // What is written on all ways that lead here.
  const written = new Uint16Array(count).fill(0xffff);
  let now = 0;
  for (let i = 0; i < count; i++) {
    now &= written[i]!;
    const code = codes[i]!;
    const operand = operands[i]!;
    if (code === OP.ST || code === OP.STX) now |= 1 << operand;
    else if ((code === OP.LD_MEM || code === OP.LDX_MEM) && (now & (1 << operand)) === 0) return false;
    else if (code === OP.JA) {
      written[i + 1 + operand]! &= now;
      now = 0xffff;
    } else if (isJump(code)) {
      written[i + 1 + whenTrue[i]!]! &= now;
      written[i + 1 + whenFalse[i]!]! &= now;
      now = 0xffff;
    } else if (isReturn(code)) now = 0xffff;
  }
  return true;
}
