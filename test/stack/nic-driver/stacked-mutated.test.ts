import type { ModuleContext, Skb, SoftnetModule } from '@softnet/contract';
import { DeviceTraffic, ETHERTYPE, Module, SkbPool, SkbPools, Tap } from '@softnet/contract';
import { Faults, Traces } from '@softnet/nic-driver';
import { copyIn, SkbReader } from '@softnet/skb';
import { HOST_STACK, Net, pattern } from '@softnet/testkit';
import { UdpEchoModule } from '@softnet/udp';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { build, STACKED } from './stacked-hosts.ts';

/** Frames of all sorts that the stack itself sends: what is mutated. */
class Corpus {
  readonly frames: Uint8Array[] = [];

  get module(): new () => SoftnetModule {
    const { frames } = this;
    @Module({ name: 'collector', version: '1.0.0', provides: [Tap] })
    class Collector implements SoftnetModule {
      start(ctx: ModuleContext): void {
        const reader = new SkbReader();
        const tap = (skb: Skb): void => {
          if (!reader.open(skb, skb.mac - skb.data)) return;
          const bytes = new Uint8Array(reader.remaining);
          reader.copyOut(bytes);
          frames.push(bytes);
        };
        ctx.contribute(Tap, { ethertype: ETHERTYPE.ALL, ifindex: 0, tap }, 'corridor');
      }
    }
    return Collector;
  }

  async collect(): Promise<void> {
    const net = new Net({ seed: 3, modules: [...HOST_STACK, UdpEchoModule, this.module] });
    const [a, b] = [await net.host('a'), await net.host('b')];
    await net.join(
      { host: a, device: 'eth0', addresses: ['10.0.0.1/24', 'fd00::1/64'] },
      { host: b, device: 'eth0', addresses: ['10.0.0.2/24', 'fd00::2/64'] },
    );
    for (const address of ['10.0.0.2', 'fd00::2']) {
      await net.run(a.ping(address, { lenBytes: 3000 }));
      const user = a.open();
      for (const port of [7, 4711]) await net.run(user.send(pattern(1, 0, 900), address, port));
      await net.pass(100);
      user.close();
    }
    await net.dispose();
  }
}

const change = fc.record({ sort: fc.constantFrom('flip', 'set', 'cut', 'splice'), at: fc.nat(1514), value: fc.nat(255) });
const mutation = fc.record({ base: fc.nat(1000), changes: fc.array(change, { minLength: 1, maxLength: 3 }) });

function mutate(
  frames: readonly Uint8Array[],
  { base, changes }: typeof mutation extends fc.Arbitrary<infer T> ? T : never,
  mac: Uint8Array,
): Uint8Array {
  let bytes = frames[base % frames.length]!.slice();
  if ((bytes[0]! & 1) === 0) bytes.set(mac);
  for (const { sort, at: place, value } of changes) {
    // Headers more often than what is behind them.
    const at = bytes.length === 0 ? 0 : (value & 1) === 0 ? place % bytes.length : place % Math.min(80, bytes.length);
    if (sort === 'cut') bytes = bytes.slice(0, at);
    else if (sort === 'splice')
      bytes = Uint8Array.of(...bytes.subarray(0, at), ...frames[value % frames.length]!.subarray(at)).subarray(0, 1514);
    else if (bytes.length > 0) bytes[at] = sort === 'set' ? value : bytes[at]! ^ (1 << (value & 7));
  }
  return bytes;
}

test('20,000 mutated frames through faults, a trace and a capture: nothing is thrown, nothing is left', async () => {
  const corpus = new Corpus();
  await corpus.collect();
  const net = new Net({ seed: 4, modules: [...HOST_STACK, ...STACKED, UdpEchoModule] });
  const [target, sender] = [await net.router('target'), await net.host('sender')];
  await net.join({ host: target, device: 'eth0' }, { host: sender, device: 'eth0' }, { queueFrames: 4096 });
  const bad = { delayUs: 200, jitterUs: 300, loss: 0.05, duplicate: 0.1, reorder: 0.1, corrupt: 0.5, seed: 4 };
  await build(net, target, bad, ['10.0.0.2/24', 'fd00::2/64']);
  const usage = () => target.kernel.port(SkbPools).current.usage()[0]!;
  const mac = target.device('trc0').address;
  const inject = (frame: Uint8Array): void => {
    const skb = sender.kernel.port(SkbPool).current.alloc(64, 1514)!;
    copyIn(skb, frame);
    skb.mac = skb.data;
    sender.kernel.port(DeviceTraffic).current.transmit(sender.device('eth0'), skb);
  };
  let mostOut = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 200, maxLength: 200 }), async (mutations) => {
      for (const each of mutations) inject(mutate(corpus.frames, each, mac));
      await net.pass(20);
      mostOut = Math.max(mostOut, usage().skbsOut);
      expect(target.kernel.faults).toEqual([]);
    }),
    { numRuns: 100, endOnFailure: true },
  );
  expect(target.device('eth0').stats.rxPackets).toBe(20_000);
  const counts = target.kernel.port(Faults).current.counts(target.device('flt0'), 'rx');
  expect(counts.frames + counts.refused).toBe(20_000);
  expect(counts.corrupted).toBeGreaterThan(9000);
  expect(target.kernel.port(Traces).current.counts(target.device('trc0')).error).toBe(null);
  expect(mostOut).toBeLessThan(4000);
  await net.pass(120_000);
  expect(usage().skbsOut).toBe(0);
  const { leaks, faults } = await net.run(target.kernel.shutdown());
  expect([leaks, faults]).toEqual([[], []]);
  await net.dispose();
}, 60_000);
