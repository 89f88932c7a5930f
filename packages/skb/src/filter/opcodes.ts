// The classic BPF machine (McCanne, Jacobson 1993), with Linux's numbers (linux/bpf_common.h, linux/filter.h).

/** Instructions by their whole code: class, size or operation, mode or source. */
export const OP = Object.freeze({
  LD_W_ABS: 0x20,
  LD_H_ABS: 0x28,
  LD_B_ABS: 0x30,
  LD_W_IND: 0x40,
  LD_H_IND: 0x48,
  LD_B_IND: 0x50,
  LD_IMM: 0x00,
  LD_MEM: 0x60,
  LD_LEN: 0x80,
  LDX_IMM: 0x01,
  LDX_MEM: 0x61,
  LDX_LEN: 0x81,
  /** X = 4 · (low four bits of a byte): the length of an IPv4 header. */
  LDX_MSH: 0xb1,
  ST: 0x02,
  STX: 0x03,
  ADD_K: 0x04,
  ADD_X: 0x0c,
  SUB_K: 0x14,
  SUB_X: 0x1c,
  MUL_K: 0x24,
  MUL_X: 0x2c,
  DIV_K: 0x34,
  DIV_X: 0x3c,
  OR_K: 0x44,
  OR_X: 0x4c,
  AND_K: 0x54,
  AND_X: 0x5c,
  LSH_K: 0x64,
  LSH_X: 0x6c,
  RSH_K: 0x74,
  RSH_X: 0x7c,
  NEG: 0x84,
  MOD_K: 0x94,
  MOD_X: 0x9c,
  XOR_K: 0xa4,
  XOR_X: 0xac,
  JA: 0x05,
  JEQ_K: 0x15,
  JEQ_X: 0x1d,
  JGT_K: 0x25,
  JGT_X: 0x2d,
  JGE_K: 0x35,
  JGE_X: 0x3d,
  JSET_K: 0x45,
  JSET_X: 0x4d,
  RET_K: 0x06,
  RET_A: 0x16,
  TAX: 0x07,
  TXA: 0x87,
} as const);

/** Offsets from here on are no bytes of the packet, but what is known of it: Linux's `SKF_AD_OFF`. */
export const ANCILLARY = -0x1000;
/** Offsets from here on count from the network header, those below from the link header: `SKF_NET_OFF`, `SKF_LL_OFF`. */
export const FROM_NETWORK = -0x100000;
export const FROM_LINK = -0x200000;

/** What is known of a packet, behind {@link ANCILLARY}: Linux's `SKF_AD_*`. */
export const KNOWN = Object.freeze({
  PROTOCOL: 0,
  PKTTYPE: 4,
  IFINDEX: 8,
  NLATTR: 12,
  NLATTR_NEST: 16,
  MARK: 20,
  QUEUE: 24,
  HATYPE: 28,
  RXHASH: 32,
  CPU: 36,
  ALU_XOR_X: 40,
  VLAN_TAG: 44,
  VLAN_TAG_PRESENT: 48,
  PAY_OFFSET: 52,
  RANDOM: 56,
  VLAN_TPID: 60,
} as const);

/** Words that a program may keep: Linux's `BPF_MEMWORDS`. */
export const MEMORY_WORDS = 16;
/** Linux's `BPF_MAXINSNS`. */
export const MAX_INSTRUCTIONS = 4096;

/** Classes: the low three bits. */
export function isJump(code: number): boolean {
  return (code & 7) === 5;
}
export function isReturn(code: number): boolean {
  return (code & 7) === 6;
}
