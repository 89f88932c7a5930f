import type { DeviceOps } from '@softnet/contract';
import { DEVICE_FEATURE, FlowKey, FlowRule, IPV4_WORD2, NetDevice, RSS_KEY_BYTES, RxQueue } from '@softnet/contract';
import { copyIn, makePool } from '@softnet/skb';
import { emitEthernet, emitIpv4Packet, emitUdp, etherLink } from '@softnet/wire';
import { describe, expect, it } from 'vitest';
import { DROPPED_BY_RULE, ReceiveClassifier } from './receive-classifier.ts';
import { ReceiveLine } from './receive-line.ts';

const UDP = 17;

/** A device that drops what a host without an address says to all. */
function device(): NetDevice {
  const made = new NetDevice({} as DeviceOps, etherLink);
  const queue = new RxQueue(made, 0);
  queue.ext = new ReceiveLine(queue, null);
  made.rxQueues = [queue];
  made.features = DEVICE_FEATURE.FLOW_STEERING;
  const rule = new FlowRule();
  const ends = { local2: IPV4_WORD2, local3: -1, localPort: 67, remotePort: 68, protocol: UDP };
  Object.assign(rule.key, new FlowKey(), ends);
  rule.queue = -1;
  made.flowRules = [rule];
  return made;
}

const keyOf = (seed: number) => (): Uint8Array =>
  Uint8Array.from({ length: RSS_KEY_BYTES }, (_, at) => Math.imul(at + seed, 0x9e3779b1) >>> 24);

describe('ReceiveClassifier', () => {
  it('knows the flow of a host that has no address yet by its rule', () => {
    const pool = makePool({ buffers: 1, pages: 1 });
    const payload = emitUdp({ srcPort: 68, dstPort: 67, checksum: 0, payload: new Uint8Array(4) }, 0);
    const ends = { src: '0.0.0.0', dst: '255.255.255.255' };
    const flags = { tos: 0, id: 1, dontFragment: false, moreFragments: false, fragmentOffsetBytes: 0, ttl: 64 };
    const packet = emitIpv4Packet({ ...flags, ...ends, protocol: UDP, options: [], payload });
    const skb = pool.alloc(64, 100)!;
    copyIn(skb, emitEthernet({ dst: 'ff:ff:ff:ff:ff:ff', src: '02:00:00:00:00:01', tags: [], type: 0x0800, payload: packet }));
    expect(new ReceiveClassifier(device(), keyOf(0x5a)).classify(skb)).toBe(DROPPED_BY_RULE);
    pool.release(skb);
  });

  it('keeps one entry for a rule at a hand-over, whatever key the last generation hashed with', () => {
    const of = device();
    const [before, next] = [new ReceiveClassifier(of, keyOf(0x11)), new ReceiveClassifier(of, keyOf(0x6d))];
    next.inherit(before);
    expect(next.state().entries.length).toBe(1);
  });
});
