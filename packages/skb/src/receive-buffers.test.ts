import type { Fragment, LinkLayer, Port, Skb } from '@softnet/contract';
import { CurrentOwner, DEVICE_FEATURE, HeaderSplit, NetDevice } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendFragment, put, trim } from './edit.ts';
import { copyIn } from './gather.ts';
import { makePool } from './make-pool.ts';
import { SkbReader } from './reader.ts';
import { FRAME_HEAD_BYTES, RECEIVE_HEADROOM_BYTES, ReceiveBuffers, SPLIT_BYTES } from './receive-buffers.ts';
import { PAGE_BYTES } from './slabs.ts';

const NETDEV = 5;

/** A device that splits, or does not; and what splits: the first byte of a frame says how many header bytes it has. */
function fixture({ buffers = 8, pages = 64, splits = true } = {}) {
  const pool = makePool({ buffers, pages });
  const device = new NetDevice({ open: () => {}, stop: () => {}, transmit: () => {} }, {} as LinkLayer);
  device.features = splits ? DEVICE_FEATURE.HEADER_SPLIT : 0;
  const current = new CurrentOwner();
  const asked: number[] = [];
  const provider: HeaderSplit = {
    headerBytes: (_device, view, offset, endOffset) => {
      expect(current.id).toBe(NETDEV);
      asked.push(endOffset - offset);
      return Math.min(view.getUint8(offset), endOffset - offset);
    },
  };
  const split: Port<HeaderSplit> = { token: HeaderSplit, current: provider, present: true, owner: NETDEV };
  return { pool, device, current, asked, provider, buffers: new ReceiveBuffers({ current: pool }, split, current) };
}

const pattern = (lenBytes: number, headerBytes: number): Uint8Array =>
  Uint8Array.from({ length: lenBytes }, (_, i) => (i === 0 ? headerBytes : (i * 31 + (i >> 8)) & 0xff));
const bytesOf = (skb: Skb): Uint8Array => {
  const bytes = new Uint8Array(skb.len);
  const reader = new SkbReader();
  if (reader.open(skb)) reader.copyOut(bytes);
  return bytes;
};
const fragmentsOf = (skb: Skb): Fragment[] => {
  const all: Fragment[] = [];
  for (let each = skb.fragments; each !== null; each = each.next) all.push(each);
  return all;
};

/** Where the bytes of a frame must be. */
function layoutOf(lenBytes: number, headerBytes: number, splits: boolean): number[] {
  const seen = Math.min(headerBytes, SPLIT_BYTES);
  const isSplit = splits && lenBytes > SPLIT_BYTES && seen > 0 && lenBytes - seen >= SPLIT_BYTES;
  const inHead = isSplit ? seen : Math.min(lenBytes, FRAME_HEAD_BYTES);
  const pages: number[] = [];
  for (let left = lenBytes - inHead; left > 0; left -= PAGE_BYTES) pages.push(Math.min(left, PAGE_BYTES));
  return [inHead, ...pages];
}

const someFrame = fc.record({
  lenBytes: fc.oneof(fc.nat(600), fc.nat(2100), fc.nat(20_000)),
  headerBytes: fc.nat(255),
  before: fc.nat(5),
  behind: fc.nat(5),
  splits: fc.boolean(),
  cut: fc.nat(3000),
});

describe('a frame', () => {
  it('lies as the rule says, from an array or another packet, with its bytes, and goes back whole', () => {
    const [splitting, plain, other] = [fixture(), fixture({ splits: false }), makePool({ buffers: 2, pages: 20 })];
    fc.assert(
      fc.property(someFrame, ({ lenBytes, headerBytes, before, behind, splits, cut }) => {
        const { pool, device, buffers, current } = splits ? splitting : plain;
        const bytes = pattern(lenBytes, headerBytes);
        const array = new Uint8Array(before + lenBytes + behind);
        array.set(bytes, before);
        // The other one's head has what is before the cut, whatever is a header.
        const from = other.alloc(10, Math.min(cut, lenBytes, 2000))!;
        copyIn(from, bytes);
        for (const skb of [buffers.fromBytes(device, array, before, lenBytes)!, buffers.fromSkb(device, from)!]) {
          expect(Buffer.compare(bytesOf(skb), bytes)).toBe(0);
          expect([skb.tail - skb.data, ...fragmentsOf(skb).map((each) => each.lenBytes)]).toEqual(layoutOf(lenBytes, headerBytes, splits));
          expect(fragmentsOf(skb).every(({ offset }) => offset % PAGE_BYTES === 0)).toBe(true);
          expect([skb.mac, skb.data - skb.head, skb.len]).toEqual([skb.data, RECEIVE_HEADROOM_BYTES, lenBytes]);
          pool.release(skb);
        }
        other.release(from);
        expect([pool.idle, other.idle, current.id]).toEqual([true, true, 0]);
      }),
    );
  });

  it('of a device that does not split, or a short one, is not shown to parsers', () => {
    const { device, buffers, asked } = fixture();
    for (const lenBytes of [0, 1, 60, SPLIT_BYTES]) buffers.fromBytes(device, pattern(lenBytes, 42));
    device.features = 0;
    buffers.fromBytes(device, pattern(3000, 42));
    expect(asked).toEqual([]);
    device.features = DEVICE_FEATURE.HEADER_SPLIT;
    buffers.fromBytes(device, pattern(3000, 42));
    expect(asked).toEqual([SPLIT_BYTES]);
  });

  it('is copied once, but for what parsers saw of the payload; counted', () => {
    const { pool, device, buffers } = fixture();
    const { copiedBytes, pages, splits } = buffers.counters;
    buffers.fromBytes(device, pattern(9000, 42));
    expect([copiedBytes.value, pages.value, splits.value]).toEqual([9000 + SPLIT_BYTES - 42, 3, 1]);
    device.features = 0;
    buffers.fromBytes(device, pattern(3000, 42));
    expect([copiedBytes.value, pages.value, splits.value]).toEqual([12_000 + SPLIT_BYTES - 42, 4, 1]);
    expect(pool.counters.copiedBytes.value).toBe(0);
  });
});

describe('lay', () => {
  it.each([0, 1, 1514, FRAME_HEAD_BYTES, FRAME_HEAD_BYTES + 1, 9014, 65_550])('makes room for %i bytes', (lenBytes) => {
    const { pool, buffers } = fixture();
    const skb = buffers.lay(lenBytes)!;
    expect([skb.tail - skb.data, ...fragmentsOf(skb).map((each) => each.lenBytes)]).toEqual(layoutOf(lenBytes, 0, false));
    expect([skb.len, skb.mac, skb.data - skb.head]).toEqual([lenBytes, skb.data, RECEIVE_HEADROOM_BYTES]);
    pool.release(skb);
    expect([pool.idle, buffers.counters.copiedBytes.value]).toEqual([true, 0]);
  });

  it('what is written run by run is read in that order, and a shorter frame gives its pages back', () => {
    const { pool, buffers } = fixture({ buffers: 4, pages: 20 });
    const skb = buffers.lay(65_550)!;
    const wanted = pattern(65_550, 0);
    skb.memory.bytes.set(wanted.subarray(0, skb.tail - skb.data), skb.data);
    let at = skb.tail - skb.data;
    for (const { memory, offset, lenBytes } of fragmentsOf(skb)) {
      memory.bytes.set(wanted.subarray(at, at + lenBytes), offset);
      at += lenBytes;
    }
    const read = new Uint8Array(65_550);
    const reader = new SkbReader();
    reader.open(skb);
    reader.copyOut(read);
    expect(Buffer.compare(read, wanted)).toBe(0);
    trim(skb, 100);
    expect([skb.len, skb.fragments, pool.usage.pagesIdle]).toEqual([100, null, 20]);
    pool.release(skb);
  });
});

describe('memory that is out', () => {
  it.each([
    ['no buffer', 0, 4],
    ['no page', 4, 0],
    ['too few pages', 4, 2],
  ])('%s: null, counted, and nothing is lost', (_what, buffersLeft, pagesLeft) => {
    const { pool, device, buffers } = fixture({ buffers: 4, pages: 4 });
    const from = makePool().alloc(0, 0)!;
    copyIn(from, pattern(15_000, 42));
    const taken = Array.from({ length: 4 - buffersLeft }, () => pool.alloc(0, 1)!);
    const pages = Array.from({ length: 4 - pagesLeft }, () => pool.page(1)!);
    for (const splits of [0, DEVICE_FEATURE.HEADER_SPLIT]) {
      device.features = splits;
      expect(buffers.fromBytes(device, pattern(15_000, 42))).toBeNull();
      expect(buffers.fromSkb(device, from)).toBeNull();
      expect(buffers.lay(15_000)).toBeNull();
    }
    for (const skb of taken) pool.release(skb);
    for (const page of pages) page.source.release(page);
    expect(pool.idle).toBe(true);
  });

  it('nor is anything lost when a parser throws: its module stands in `current`', () => {
    const { pool, device, buffers, current, provider } = fixture();
    Object.assign(provider, {
      headerBytes: () => {
        current.id = 9;
        throw new Error('a bad parser');
      },
    });
    expect(() => buffers.fromBytes(device, pattern(3000, 42))).toThrow('a bad parser');
    expect([pool.idle, current.id]).toEqual([true, 9]);
  });
});

describe('once warm', () => {
  it('nothing is allocated for a frame from another kernel, a short one, or one that is laid out', () => {
    const { pool, device, buffers, provider } = fixture();
    Object.assign(provider, { headerBytes: () => 42 });
    const other = makePool({ buffers: 2, pages: 4 });
    const from = other.alloc(0, 100)!;
    put(from, 100);
    const page = other.page(3000)!;
    appendFragment(from, page);
    const ring = new Uint8Array(65_536);
    const bytes = heapPerCall(1, () => {
      pool.release(buffers.fromBytes(device, ring, 500, 100)!);
      pool.release(buffers.fromSkb(device, from)!);
      pool.release(buffers.lay(3000)!);
    });
    expect(bytes).toBeLessThan(1);
  });

  it('a frame that is a whole array costs nothing either; one that is a part costs views of it', () => {
    const { pool, device, buffers } = fixture({ splits: false });
    const whole = new Uint8Array(1514);
    expect(heapPerCall(1, () => pool.release(buffers.fromBytes(device, whole)!))).toBeLessThan(1);
    const perCall = heapPerCall(200, () => pool.release(buffers.fromBytes(device, whole, 14)!));
    expect(perCall).toBeLessThan(200);
  });
});
