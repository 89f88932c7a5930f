import type { EthertypeHandler as Handler, ModuleContext, NetDevice, Skb, SkbQueue, SoftnetModule, TxQueue } from '@softnet/contract';
import {
  Backlog,
  NetDevice as Device,
  Devices,
  DeviceTraffic,
  defineService,
  dequeue,
  EthertypeHandler,
  Module,
  SkbPool,
  TxQueue as TransmitQueue,
} from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { passOn, put, SkbModule } from '@softnet/skb';
import type { Traffic } from '@softnet/testkit';
import { checkPattern, complianceChecks, pattern, WireTrace } from '@softnet/testkit';
import { etherLink } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import { OUR_MAC } from './netdev-host.ts';

/** What arrives, by device; and kernel time. */
interface Sink {
  readonly got: Map<NetDevice, Uint8Array[]>;
  sleep(delayUs: number): Promise<void>;
}
const Sink = defineService<Sink>({ name: 'test-sink', version: '1.0.0' });

@Module({ name: 'test-sink', version: '1.0.0', provides: [Sink, EthertypeHandler] })
class SinkModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const got = new Map<NetDevice, Uint8Array[]>();
    const handler: Handler = {
      ...{ name: 'test', ethertype: 0x88b5, dissect: null, gro: null, segment: null },
      input: (skb, device) => {
        const bytes = skb.memory.bytes.slice(skb.data, skb.tail);
        got.set(device, [...(got.get(device) ?? []), bytes]);
        skb.memory.pool.release(skb);
      },
    };
    ctx.contribute(EthertypeHandler, handler, 'corridor');
    const sleep = (delayUs: number) =>
      new Promise<void>((resolve) => ctx.timer((done: () => void) => done(), resolve, 'test.sleep').arm(delayUs));
    ctx.corridor(Sink, { got, sleep });
  }
}

const BYTES = 500;
const PACKETS = 20;

/** Devices that receive what they send: a driver that belongs to nobody. It is full after some packets, and has room a little later. */
async function loops([kernel]: readonly Kernel[]): Promise<Traffic> {
  const port = {
    pool: kernel!.port(SkbPool),
    devices: kernel!.port(Devices),
    traffic: kernel!.port(DeviceTraffic),
    backlog: kernel!.port(Backlog),
  };
  const { got, sleep } = kernel!.port(Sink).current;
  const trace = new WireTrace();
  const devices: NetDevice[] = [];
  let sent = 0;
  let room = 7;
  const transmit = (queue: TxQueue, batch: SkbQueue): void => {
    let bytes = 0;
    for (; batch.first !== null && room > 0; room--) {
      const skb = dequeue(batch)!;
      bytes += skb.len;
      passOn(skb, 'driver');
      port.backlog.current.receive(skb, queue.device);
    }
    queue.stopped = batch.first !== null;
    port.traffic.current.completed(queue, 1, bytes);
  };
  const open = (): void => {
    const device = new Device({ open: () => {}, stop: () => {}, transmit }, etherLink);
    Object.assign(device, { name: 'loop%d', kind: 'loop', txQueues: [new TransmitQueue(device, 0)] });
    device.address.set(OUR_MAC);
    port.devices.current.register(device);
    devices.push(device);
    port.devices.current.open(device);
    port.traffic.current.setCarrier(device, true);
  };
  const skbOf = (device: NetDevice, bytes: Uint8Array): Skb => {
    const skb = port.pool.current.alloc(64, bytes.length)!;
    skb.memory.bytes.set(bytes, put(skb, bytes.length));
    etherLink.write(skb, device, 0x88b5, OUR_MAC, null);
    return skb;
  };
  const exchange = async (device: NetDevice): Promise<number> => {
    got.delete(device);
    const from = sent;
    sent += BYTES * PACKETS;
    for (let i = 0; i < PACKETS; i++) port.traffic.current.transmit(device, skbOf(device, pattern(1, from + i * BYTES, BYTES)));
    for (let turn = 0; turn < 10; turn++) {
      await sleep(300);
      room = 7;
      for (const queue of device.txQueues) port.traffic.current.wake(queue);
    }
    const all = got.get(device) ?? [];
    if (all.length !== PACKETS) throw new Error(`${all.length} of ${PACKETS} packets came back by ${device.name}`);
    all.forEach((bytes, i) => {
      checkPattern(1, from + i * BYTES, bytes);
      trace.add(bytes, 0);
    });
    return BYTES * PACKETS;
  };
  open();
  open();
  return {
    exchange: async () => (await Promise.all(devices.map(exchange))).reduce((sum, count) => sum + count, 0),
    openAnother: async () => open(),
    trace: () => trace.value,
    close: async () => {
      for (const device of devices.splice(0)) if (device.ifindex !== 0) port.devices.current.unregister(device);
    },
  };
}

/** It holds nothing up, is replaced by hand-over only, and comes as a class. */
const NOT_APPLICABLE: readonly string[] = Object.freeze([
  ...['unload under traffic', 'the dry run says what happens', 'force', 'unload in the midst of opening'],
  ...['a deadline that passes means live again', 'abort', 'parked objects are silent, and live again'],
  ...['replace by draining', 'code is collected'],
]);

describe('netdev complies', () => {
  test.each(complianceChecks({ source: NetdevModule, holdsNothingUp: true, needs: [SkbModule, SinkModule], traffic: loops }))(
    '$name',
    async ({ name, run }) => {
      const { applies, sentence } = await run();
      expect([applies, sentence]).toEqual([!NOT_APPLICABLE.includes(name), sentence]);
    },
  );
});
