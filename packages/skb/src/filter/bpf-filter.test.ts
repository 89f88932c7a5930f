import type { Skb } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { appendFragment, put } from '../edit.ts';
import { makePool } from '../make-pool.ts';
import { loadFilter } from './bpf-filter.ts';
import { ANCILLARY, FROM_LINK, FROM_NETWORK, KNOWN, OP } from './opcodes.ts';
import { parseFilter } from './parse-filter.ts';

const pool = makePool({ buffers: 8, pages: 40 });

type Instruction = readonly [code: number, whenTrue: number, whenFalse: number, operand: number];

function bytesOf(...program: readonly Instruction[]): Uint8Array {
  return parseFilter(program.map((each) => each.map((number) => number >>> 0).join(' ')).join('\n'));
}

/** Cut so that `cut` bytes are in the head, and fragments of three bytes follow, as far as they go. */
function packetOf(bytes: Uint8Array, cut = bytes.length): Skb {
  const skb = pool.alloc(16, 200)!;
  skb.memory.bytes.set(bytes.subarray(0, cut), put(skb, Math.min(cut, bytes.length)));
  for (let at = cut; at < bytes.length; ) {
    const lenBytes = at < cut + 30 ? Math.min(3, bytes.length - at) : bytes.length - at;
    const fragment = pool.page(lenBytes)!;
    fragment.lenBytes = lenBytes;
    fragment.memory.bytes.set(bytes.subarray(at, at + lenBytes), fragment.offset);
    appendFragment(skb, fragment);
    at += lenBytes;
  }
  skb.mac = skb.data;
  skb.network = skb.data + 14;
  return skb;
}

const hex = (text: string): Uint8Array => Uint8Array.from(text.replaceAll(' ', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

const ETHERNET = '020000000002 020000000001 ';
const FRAMES = {
  dns: `${ETHERNET}0800 45000020 00010000 40110000 0a000001 0a000002 1388 0035 000c 0000 61626364`,
  web: `${ETHERNET}0800 45000028 00014000 40060000 0a000003 0a000002 1388 0050 00000001 00000000 5002 2000 0000 0000`,
  ping: `${ETHERNET}0800 4600 0020 0001 0000 4001 0000 0a000001 0a000009 94040000 0800 0000 0001 0001`,
  fragment: `${ETHERNET}0800 45000020 00012010 40110000 0a000001 0a000002 1388 0035 000c 0000 61626364`,
  dns6: `${ETHERNET}86dd 60000000 000c 11 40 20010db8000000000000000000000001 20010db8000000000000000000000002 1388 0035 000c 0000 61626364`,
  arp: `${ETHERNET}0806 0001 0800 0604 0001 020000000001 0a000001 000000000000 0a000002`,
  tagged: `${ETHERNET}8100 0005 0800 45000020 00010000 40110000 0a000001 0a000002 1388 0035 000c 0000 61626364`,
} as const;
type Frame = keyof typeof FRAMES;

// What `tcpdump -ddd EXPRESSION` prints for Ethernet, and which of the frames it means.
const EXPRESSIONS: readonly [expression: string, program: string, shown: readonly Frame[]][] = [
  ['ip', '4;40 0 0 12;21 0 1 2048;6 0 0 262144;6 0 0 0', ['dns', 'web', 'ping', 'fragment']],
  [
    'tcp port 80',
    '20;40 0 0 12;21 0 6 34525;48 0 0 20;21 0 15 6;40 0 0 54;21 12 0 80;40 0 0 56;21 10 11 80;21 0 10 2048;48 0 0 23;21 0 8 6;40 0 0 20;69 6 0 8191;177 0 0 14;72 0 0 14;21 2 0 80;72 0 0 16;21 0 1 80;6 0 0 262144;6 0 0 0',
    ['web'],
  ],
  [
    'udp and dst port 53',
    '16;40 0 0 12;21 0 7 2048;48 0 0 23;21 0 11 17;40 0 0 20;69 9 0 8191;177 0 0 14;72 0 0 16;21 5 6 53;21 0 5 34525;48 0 0 20;21 0 3 17;40 0 0 56;21 0 1 53;6 0 0 262144;6 0 0 0',
    ['dns', 'dns6'],
  ],
  ['ip6 and udp', '9;40 0 0 12;21 0 6 34525;48 0 0 20;21 3 0 17;21 0 3 44;48 0 0 54;21 0 1 17;6 0 0 262144;6 0 0 0', ['dns6']],
  [
    'host 10.0.0.1',
    '14;40 0 0 12;21 0 4 2048;32 0 0 26;21 8 0 167772161;32 0 0 30;21 6 7 167772161;21 1 0 2054;21 0 5 32821;32 0 0 28;21 2 0 167772161;32 0 0 38;21 0 1 167772161;6 0 0 262144;6 0 0 0',
    ['dns', 'ping', 'fragment', 'arp'],
  ],
  [
    'icmp[0] == 8',
    '11;40 0 0 12;21 0 8 2048;48 0 0 23;21 0 6 1;40 0 0 20;69 4 0 8191;177 0 0 14;80 0 0 14;21 0 1 8;6 0 0 262144;6 0 0 0',
    ['ping'],
  ],
  ['len > 50', '4;128 0 0 0;37 0 1 50;6 0 0 262144;6 0 0 0', ['web', 'dns6']],
  ['ip[6:2] & 0x1fff != 0', '6;40 0 0 12;21 0 3 2048;40 0 0 20;69 0 1 8191;6 0 0 262144;6 0 0 0', ['fragment']],
  ['vlan', '6;40 0 0 12;21 2 0 33024;21 1 0 34984;21 0 1 37120;6 0 0 262144;6 0 0 0', ['tagged']],
  [
    'tcp[13] & 2 != 0',
    '11;40 0 0 12;21 0 8 2048;48 0 0 23;21 0 6 6;40 0 0 20;69 4 0 8191;177 0 0 14;80 0 0 27;69 0 1 2;6 0 0 262144;6 0 0 0',
    ['web'],
  ],
];

test.each(EXPRESSIONS)("tcpdump's %s shows what it means, wherever a frame is cut", (_expression, text, shown) => {
  const filter = loadFilter(parseFilter(text.replaceAll(';', '\n')))!;
  for (const [name, frame] of Object.entries(FRAMES)) {
    const bytes = hex(frame);
    for (const cut of [bytes.length, 60, 14, 13, 27, 1, 0]) {
      const skb = packetOf(bytes, Math.min(cut, bytes.length));
      expect(filter.run(skb), `${name}, ${cut} bytes in the head`).toBe(shown.includes(name as Frame) ? 262_144 : 0);
      pool.release(skb);
    }
  }
});

describe('is refused', () => {
  const end: Instruction = [OP.RET_K, 0, 0, 1];
  test.each<[why: string, program: readonly Instruction[]]>([
    ['no instruction', []],
    ['an end that is no return', [[OP.LD_IMM, 0, 0, 1]]],
    ['a code that is none', [[0xff, 0, 0, 0], end]],
    ['a mode of loads that is none', [[0x38, 0, 0, 0], end]],
    ['a division by nothing', [[OP.DIV_K, 0, 0, 0], end]],
    ['a remainder by nothing', [[OP.MOD_K, 0, 0, 0], end]],
    ['a shift by 32', [[OP.LSH_K, 0, 0, 32], end]],
    ['a word of memory that is none', [[OP.ST, 0, 0, 16], end]],
    ['a word that was not written', [[OP.LD_MEM, 0, 0, 3], end]],
    ['a word that was written on one of two ways', [[OP.JEQ_K, 0, 1, 1], [OP.ST, 0, 0, 3], [OP.LD_MEM, 0, 0, 3], end]],
    ['a jump behind the end', [[OP.JA, 0, 0, 1], end]],
    ['a jump back', [[OP.JA, 0, 0, 0xffffffff], end]],
    ['a branch behind the end', [[OP.JEQ_K, 1, 0, 0], end]],
    ['the other branch behind the end', [[OP.JEQ_K, 0, 1, 0], end]],
    ['something unknown of a packet', [[OP.LD_W_ABS, 0, 0, ANCILLARY + 2], end]],
    ['another thing unknown of a packet', [[OP.LD_B_ABS, 0, 0, ANCILLARY + 64], end]],
    ['too many', Array.from({ length: 4097 }, () => end)],
  ])('%s', (_why, program) => {
    expect(loadFilter(bytesOf(...program))).toBeNull();
  });

  test('seven bytes, and text that is none', () => {
    expect(loadFilter(new Uint8Array(7))).toBeNull();
    expect(() => parseFilter('{ 0x28, 0, 0 },')).toThrow(/EINVAL: '\{ 0x28, 0, 0 \},' is no instruction/);
    expect(() => parseFilter('2\n6 0 0 1')).toThrow('says that it has 2 instructions, and has 1');
    expect(() => parseFilter('6 0 0 4294967296')).toThrow('EINVAL');
    expect(parseFilter('{ 0x28, 0, 0, 0x0000000c },\n{ 0x6, 0, 0, 0x1 },')).toEqual(bytesOf([0x28, 0, 0, 12], [6, 0, 0, 1]));
  });

  test('a word that was written on both ways is not', () => {
    const program: readonly Instruction[] = [
      [OP.JEQ_K, 1, 0, 0],
      [OP.JA, 0, 0, 1],
      [OP.ST, 0, 0, 3],
      [OP.ST, 0, 0, 3],
      [OP.LD_MEM, 0, 0, 3],
      [OP.RET_A, 0, 0, 0],
    ];
    expect(loadFilter(bytesOf(...program))).not.toBeNull();
  });
});

test('what is known of a packet, and its headers, wherever `data` is', () => {
  const skb = packetOf(hex(FRAMES.dns));
  Object.assign(skb, { protocol: 0x0800, type: 3, ifindex: 7, mark: -5, queue: 2, hash: 99, vlan: (0x8100 << 16) | 5 });
  const value = (...program: readonly Instruction[]): number => {
    const filter = loadFilter(bytesOf(...program, [OP.ST, 0, 0, 0], [OP.LD_MEM, 0, 0, 0], [OP.RET_A, 0, 0, 0]))!;
    return filter.run(skb);
  };
  const known = (which: number): number => value([OP.LD_W_ABS, 0, 0, ANCILLARY + which]);
  expect([KNOWN.PROTOCOL, KNOWN.PKTTYPE, KNOWN.IFINDEX, KNOWN.QUEUE, KNOWN.RXHASH, KNOWN.CPU].map(known)).toEqual([0x0800, 3, 7, 2, 99, 0]);
  expect([KNOWN.VLAN_TAG, KNOWN.VLAN_TAG_PRESENT, KNOWN.VLAN_TPID].map(known)).toEqual([5, 1, 0x8100]);
  expect(known(KNOWN.MARK), 'more than all').toBe(0x3fffffff);
  expect(value([OP.LD_IMM, 0, 0, 12], [OP.LDX_IMM, 0, 0, 10], [OP.LD_W_ABS, 0, 0, ANCILLARY + KNOWN.ALU_XOR_X])).toBe(6);
  skb.data += 14;
  skb.len -= 14;
  expect(value([OP.LD_B_ABS, 0, 0, FROM_NETWORK])).toBe(0x45);
  expect(value([OP.LD_H_ABS, 0, 0, FROM_LINK + 12])).toBe(0x0800);
  // Below the link header there is nothing, whoever asks: Linux takes such a program too.
  for (const offset of [FROM_LINK - 1, -0x80000000]) expect(value([OP.LD_IMM, 0, 0, 1], [OP.LD_B_ABS, 0, 0, offset])).toBe(0);
  // Headroom is no part of the packet.
  skb.memory.bytes[skb.mac - 1] = 0xab;
  expect(value([OP.LDX_IMM, 0, 0, -1], [OP.LD_B_IND, 0, 0, FROM_LINK])).toBe(0);
  skb.network = -1;
  expect(value([OP.LD_B_ABS, 0, 0, FROM_NETWORK])).toBe(0);
  skb.data -= 14;
  skb.len += 14;
  pool.release(skb);
});

test('what is known of its kernel: an interface, and chance', () => {
  const skb = packetOf(hex(FRAMES.dns));
  skb.ifindex = 7;
  const asked: number[] = [];
  const facts = { random: () => 0x3000_0001, hardwareType: (ifindex: number) => asked.push(ifindex) + 771 };
  const known = (which: number): number =>
    loadFilter(bytesOf([OP.LD_W_ABS, 0, 0, ANCILLARY + which], [OP.RET_A, 0, 0, 0]), facts)!.run(skb);
  expect([known(KNOWN.HATYPE), known(KNOWN.RANDOM), asked]).toEqual([772, 0x3000_0001, [7]]);
  expect(loadFilter(bytesOf([OP.LD_W_ABS, 0, 0, ANCILLARY + KNOWN.HATYPE], [OP.RET_A, 0, 0, 0]))!.run(skb)).toBe(0);
  pool.release(skb);
});

/** The machine in plain words, over flat bytes, with numbers of any size. */
function plainly(program: readonly Instruction[], bytes: Uint8Array): number {
  const memory = new Array<number>(16).fill(0);
  let [a, x] = [0, 0];
  const read = (at: number, count: number): number | null => {
    if (at < 0 || at + count > bytes.length) return null;
    return bytes.subarray(at, at + count).reduce((sum, byte) => sum * 256 + byte, 0);
  };
  for (let at = 0; ; at++) {
    const [code, whenTrue, whenFalse, k] = program[at]!;
    const by = (code & 8) === 0 ? k : x;
    const width = (code & 0x18) === 0 ? 4 : (code & 0x18) === 8 ? 2 : 1;
    const compute: Readonly<Record<number, () => number>> = {
      0: () => a + by,
      16: () => a - by,
      32: () => Number((BigInt(a) * BigInt(by)) & 0xffffffffn),
      48: () => Math.floor(a / by),
      64: () => Number(BigInt(a) | BigInt(by)),
      80: () => Number(BigInt(a) & BigInt(by)),
      96: () => Number((BigInt(a) << BigInt(by % 32)) & 0xffffffffn),
      112: () => Math.floor(a / 2 ** (by % 32)),
      128: () => -a,
      144: () => a % by,
      160: () => Number(BigInt(a) ^ BigInt(by)),
    };
    const isOver = (code === OP.DIV_X || code === OP.MOD_X) && x === 0;
    if (isOver) return 0;
    if ((code & 7) === 4) a = (compute[code & 0xf0]!() + 2 ** 33) % 2 ** 32;
    else if ((code & 7) === 5) {
      const holds = [true, a === by, a > by, a >= by, (BigInt(a) & BigInt(by)) !== 0n][(code & 0xf0) >> 4];
      if (code === OP.JA) at += k;
      else at += holds === true ? whenTrue : whenFalse;
    } else if (code === OP.RET_K || code === OP.RET_A) return Math.min(code === OP.RET_K ? k : a, 0x3fffffff);
    else if (code === OP.ST || code === OP.STX) memory[k] = code === OP.ST ? a : x;
    else if (code === OP.TAX) x = a;
    else if (code === OP.TXA) a = x;
    else {
      const mode = code & 0xe0;
      const found =
        mode === 0 ? k : mode === 0x60 ? memory[k]! : mode === 0x80 ? bytes.length : read(mode === 0x40 ? (x + k) % 2 ** 32 : k, width);
      if (found === null) return 0;
      if ((code & 7) === 0) a = found;
      else x = code === OP.LDX_MSH ? 4 * (found & 15) : found;
    }
  }
}

const operand = fc.oneof(fc.nat(70), fc.nat(70), fc.constantFrom(0x7fffffff, 0x80000001, 0xfffff, 31));
const anyInstruction = fc.tuple(fc.constantFrom(...Object.values(OP)), fc.nat(4), fc.nat(4), operand);

test('gives the verdict of the plain machine, for any sound program and packet; what is not sound is refused, not run', () => {
  let sound = 0;
  fc.assert(
    fc.property(fc.array(anyInstruction, { maxLength: 12 }), fc.uint8Array({ maxLength: 80 }), fc.nat(80), (instructions, bytes, cut) => {
      const program: Instruction[] = [[OP.ST, 0, 0, 0], [OP.LDX_IMM, 0, 0, 3], [OP.STX, 0, 0, 1], ...instructions, [OP.RET_A, 0, 0, 0]];
      const filter = loadFilter(bytesOf(...program));
      if (filter === null) return;
      sound++;
      const skb = packetOf(bytes, Math.min(cut, bytes.length));
      const verdict = filter.run(skb);
      pool.release(skb);
      expect(verdict).toBe(plainly(program, bytes));
    }),
    { numRuns: 3000 },
  );
  expect(sound).toBeGreaterThan(300);
});

test('any bytes are a program or none, and end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 40 }), (bytes, packet) => {
      const filter = loadFilter(bytes);
      if (filter === null) return;
      const skb = packetOf(packet);
      expect(filter.run(skb)).toBeGreaterThanOrEqual(0);
      pool.release(skb);
    }),
  );
});

test('runs without a byte of garbage', () => {
  const filter = loadFilter(parseFilter(EXPRESSIONS[1]![1].replaceAll(';', '\n')))!;
  const skb = packetOf(hex(FRAMES.web), 20);
  let given = 0;
  const bytes = heapPerCall(1, () => {
    given |= filter.run(skb);
  });
  expect([bytes < 1, given > 0]).toEqual([true, true]);
  pool.release(skb);
});
