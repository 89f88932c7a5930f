import { expect, test } from 'vitest';
import { put } from '../edit.ts';
import { makePool } from '../make-pool.ts';
import { loadFilter } from './bpf-filter.ts';
import { ANCILLARY, KNOWN, OP } from './opcodes.ts';
import { parseFilter } from './parse-filter.ts';

const pool = makePool({ buffers: 4, pages: 1 });

/** 'HEAD', then attributes 1, 2 with 7 and 8 inside of it, and 3 with its nested bit; zeros. */
const MESSAGE = Buffer.from(
  `48454144 07000100 61626300 14000200 06000700 78790000 05000800 7a000000 05000380 71000000${'00'.repeat(60)}`.replaceAll(' ', ''),
  'hex',
);

// What Linux 6.18 says of these bytes: `ldx #type; ld #from; ld [SKF_AD_NLATTR or NEST]; ret a`.
test.each([
  [4, 1, false, 4],
  [4, 2, false, 12],
  [4, 3, false, 32],
  [4, 9, false, 0],
  [0, 1, false, 0],
  [12, 2, false, 12],
  [28, 3, false, 0],
  [4, 0x8003, false, 0],
  [100, 1, false, 0],
  [200, 1, false, 0],
  [0xffff_fffe, 1, false, 0],
  [12, 7, true, 16],
  [12, 8, true, 24],
  [12, 9, true, 0],
  [0, 7, true, 0],
  [99, 7, true, 0],
] as const)('from %i, of type %i, nested %s: %i', (from, type, isNested, expected) => {
  const skb = pool.alloc(0, 150)!;
  skb.memory.bytes.set(MESSAGE, put(skb, MESSAGE.length));
  const known = (ANCILLARY + (isNested ? KNOWN.NLATTR_NEST : KNOWN.NLATTR)) >>> 0;
  const program = [
    [OP.LDX_IMM, 0, 0, type],
    [OP.LD_IMM, 0, 0, from],
    [OP.LD_W_ABS, 0, 0, known],
    [OP.RET_A, 0, 0, 0],
  ];
  expect(loadFilter(parseFilter(program.map((each) => each.join(' ')).join('\n')))!.run(skb)).toBe(expected);
  pool.release(skb);
});
