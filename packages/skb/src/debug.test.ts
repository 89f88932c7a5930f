import type { Skb } from '@softnet/contract';
import { DropReason, enqueue, ModuleFault, SkbQueue } from '@softnet/contract';
import { describe, expect, it } from 'vitest';
import { DEBUG } from './debug.ts';
import { appendFragment, claim, cutFront, passOn, pull, push, put, reserve, trim } from './edit.ts';
import { copyIn, gather } from './gather.ts';
import { makePool } from './make-pool.ts';
import { SkbReader } from './reader.ts';

const pool = makePool();
const reason = new DropReason(1, 'test', 'a test');
/** 10 bytes of headroom, 20 in the head, 12 of tailroom in a buffer of 42 bytes. */
function packet(): Skb {
  const skb = pool.alloc(10, 20)!;
  skb.end = skb.head + 42;
  put(skb, 20);
  return skb;
}

function faultOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(ModuleFault);
    return (error as Error).message;
  }
  return 'nothing was thrown';
}

describe('a debug build', () => {
  it('is what tests run', () => {
    expect(DEBUG).toBe(true);
  });

  it.each<[string, (skb: Skb) => unknown, string]>([
    ['push beyond the headroom', (skb) => push(skb, 11), 'push of 11 bytes, but there is room for 10'],
    ['put beyond the tailroom', (skb) => put(skb, 13), 'put of 13 bytes, but there is room for 12'],
    ['pull beyond the head', (skb) => pull(skb, 21), 'pull of 21 bytes, but 20 are in the head: gather first'],
    ['reserve in a packet with bytes', (skb) => reserve(skb, 1), 'reserve in a packet that has bytes already'],
    ['a fraction', (skb) => trim(skb, 1.5), 'trim of 1.5 bytes: a count is a whole number, 0 or more'],
    ['less than nothing', (skb) => cutFront(skb, -1), 'cutFront of -1 bytes'],
    ['NaN', (skb) => gather(skb, Number.NaN), 'gather of NaN bytes'],
    ['the same in copyIn', (skb) => copyIn(skb, new Uint8Array(3), 5), 'copyIn of -2 bytes'],
    ['alloc of less than nothing', () => pool.alloc(-1, 5), 'alloc(-1, 5): both are bytes'],
    [
      'put before fragments',
      (skb) => {
        appendFragment(skb, pool.page(5)!);
        put(skb, 1);
      },
      'put of 1 bytes, but there is room for 0',
    ],
    [
      'a header written where a clone sees it',
      (skb) => {
        pool.clone(skb);
        push(skb, 1);
      },
      'push writes to a head that a clone shares: makeRoom first',
    ],
  ])('says at the culprit: %s', (_what, act, sentence) => {
    const skb = packet();
    const message = faultOf(() => act(skb));
    expect(message).toContain(sentence);
    if (message.includes('room for')) expect(message).toContain('The packet: headroom 10, in the head 20');
  });

  it('says how much room there was to reserve', () => {
    const skb = pool.alloc(0, 10)!;
    expect(faultOf(() => reserve(skb, 2049))).toContain('reserve of 2049 bytes, but there are 2048');
    reserve(skb, 2048);
    expect(faultOf(() => new SkbReader().u32())).toContain('u32 of a reader that has 0 bytes');
  });

  it('names both owners of a packet that is sent twice', () => {
    const skb = packet();
    claim(skb, 'qdisc.fifo');
    expect(faultOf(() => claim(skb, 'tap.transmit'))).toBe('skb: tap.transmit takes a packet that qdisc.fifo still owns');
    expect(faultOf(() => passOn(skb, 'tap.transmit'))).toBe('skb: tap.transmit passes on a packet that qdisc.fifo owns');
    passOn(skb, 'qdisc.fifo');
    expect(faultOf(() => passOn(skb, 'qdisc.fifo'))).toBe('skb: qdisc.fifo passes on a packet that nobody has claimed');
    claim(skb, 'tap.transmit');
    pool.release(skb);
    expect(faultOf(() => claim(skb, 'qdisc.fifo'))).toBe('skb: qdisc.fifo takes a packet that is freed already (by tap.transmit)');
  });

  it('names who freed a packet that is freed twice, used, cloned or written to after', () => {
    const skb = packet();
    claim(skb, 'tap.transmit');
    pool.release(skb);
    expect(faultOf(() => pool.release(skb))).toBe('skb: a packet is freed twice (the first time: by tap.transmit)');
    expect(faultOf(() => pool.drop(skb, reason))).toContain('freed twice');
    expect(faultOf(() => push(skb, 1))).toBe('skb: push on a packet that is freed (by tap.transmit)');
    expect(faultOf(() => pool.clone(skb))).toContain('cloned after it was freed (by tap.transmit)');
    expect(faultOf(() => pool.makeRoom(skb, 1, 1))).toContain('given room after it was freed');
    skb.len = 5;
    expect(faultOf(() => pool.alloc(0, 1))).toContain('written to after it was freed (by tap.transmit)');
  });

  it('says when a queue still has what is freed, and when a fragment is released twice', () => {
    const queue = new SkbQueue();
    const [one, two] = [packet(), packet()];
    enqueue(queue, one);
    enqueue(queue, two);
    expect(faultOf(() => pool.release(one))).toContain('freed while a queue has it');
    const fragment = pool.page(1)!;
    fragment.source.release(fragment);
    expect(faultOf(() => fragment.source.release(fragment))).toBe('skb: a fragment is released twice');
  });
});
