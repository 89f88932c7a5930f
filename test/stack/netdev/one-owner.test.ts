import type { Qdisc, Skb, SkbQueue, TxQueue } from '@softnet/contract';
import { DEVICE_FEATURE, dequeue, GRO, HOOK_POINT, ModuleFault, TRANSMIT, VERDICT } from '@softnet/contract';
import { claim } from '@softnet/skb';
import { describe, expect, test } from 'vitest';
import type { NetdevHost } from './netdev-host.ts';
import { bootNetdev, deviceHook, FakeDriver, FakeHandler, frame, outgoing, packet, plug, receive, send } from './netdev-host.ts';

/** Keeps what it is given. */
class Keeper extends FakeDriver {
  readonly kept: Skb[] = [];
  override transmit(_queue: TxQueue, batch: SkbQueue): void {
    for (let skb = dequeue(batch); skb !== null; skb = dequeue(batch)) this.kept.push(skb);
  }
}

async function boot<D extends FakeDriver>(driverOf: (host: NetdevHost) => D) {
  const host = await bootNetdev();
  const driver = driverOf(host);
  const device = plug(host, driver, 'eth0');
  return { host, driver, device, queue: device.txQueues[0]! };
}
const bootKeeper = () => boot((host) => new Keeper(host));

/** What a debug build says. */
function faultOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(ModuleFault);
    return (error as Error).message.replace('skb: ', '');
  }
  return 'nothing was thrown';
}

describe('a packet that the driver has', () => {
  test('is not sent again, nor received, nor begun again by who sent it', async () => {
    const { host, driver, device } = await bootKeeper();
    const skb = outgoing(host, device, 'mine');
    host.traffic().transmit(device, skb);
    expect(driver.kept).toEqual([skb]);
    expect(faultOf(() => host.traffic().transmit(device, skb))).toBe('netdev.transmit takes a packet that driver still owns');
    expect(faultOf(() => host.backlog().receive(skb, device))).toBe('netdev.backlog takes a packet that driver still owns');
    skb.memory.pool.release(skb);
    expect(host.skbsOut()).toBe(0);
  });

  test('and frees, is nobody’s any more', async () => {
    const { host, driver, device } = await bootKeeper();
    send(host, device, 'gone');
    const [skb] = driver.kept;
    skb!.memory.pool.release(skb!);
    expect(faultOf(() => host.backlog().receive(skb!, device))).toBe('netdev.backlog takes a packet that is freed already (by driver)');
    expect(faultOf(() => skb!.memory.pool.release(skb!))).toMatch(/freed.*by driver/);
  });

  test('and leaves in the batch, is not freed by it', async () => {
    const { host, driver, device } = await boot((host) => new FakeDriver(host));
    driver.transmit = (queue, batch) => {
      queue.stopped = true;
      batch.first!.memory.pool.release(batch.first!);
    };
    expect(faultOf(() => send(host, device, 'x'))).toBe('driver passes on a packet that is freed already (by driver)');
  });

  test('and puts elsewhere without passing it on', async () => {
    const { host, driver, device } = await boot((host) => new FakeDriver(host));
    driver.transmit = (_queue, batch) => host.backlog().receive(dequeue(batch)!, device);
    expect(faultOf(() => send(host, device, 'x'))).toBe('netdev.backlog takes a packet that driver still owns');
  });
});

describe('a qdisc', () => {
  /** Hands out the first packet twice. */
  function twice(builtIn: Qdisc): Qdisc {
    let first: Skb | null = null;
    return {
      ...{ kind: 'twice', handle: 1, backlogBytes: 0 },
      get lenPackets() {
        return first === null ? builtIn.lenPackets : 1;
      },
      enqueue: (skb) => builtIn.enqueue(skb),
      dequeue: () => {
        const again = first;
        first = again === null ? builtIn.dequeue() : null;
        return again ?? first;
      },
      reset: () => builtIn.reset(),
    };
  }

  test('that hands out a packet twice', async () => {
    const { host, driver, device, queue } = await bootKeeper();
    queue.qdisc = twice(queue.qdisc!);
    expect(faultOf(() => send(host, device, 'x'))).toBe('netdev.queue passes on a packet that netdev.send owns');
    expect(driver.kept).toEqual([]);
    // The packet itself is not lost for that.
    await host.settle();
    expect(driver.kept).toHaveLength(1);
  });

  test('that hands out a packet that its driver has', async () => {
    const { host, device, queue } = await bootKeeper();
    const builtIn = twice(queue.qdisc!);
    let calls = 0;
    queue.qdisc = { ...builtIn, lenPackets: 1, enqueue: builtIn.enqueue, dequeue: () => (++calls % 2 === 0 ? null : builtIn.dequeue()) };
    expect(faultOf(() => send(host, device, 'x'))).toBe('netdev.queue passes on a packet that driver owns');
  });

  test('that frees what it says it has queued', async () => {
    const { host, device, queue } = await bootKeeper();
    const builtIn = queue.qdisc!;
    let kept: Skb | null = null;
    queue.qdisc = {
      ...{ kind: 'bad', handle: 1, backlogBytes: 0, lenPackets: 1 },
      enqueue: (skb) => {
        kept = skb;
        skb.memory.pool.release(skb);
        return TRANSMIT.OK;
      },
      dequeue: () => kept,
      reset: () => builtIn.reset(),
    };
    expect(faultOf(() => send(host, device, 'x'))).toBe('netdev.queue passes on a packet that is freed already (by netdev.queue)');
  });
});

describe('a hook', () => {
  test.each([
    ['EGRESS', 'netdev.send', 'netdev.transmit'],
    ['INGRESS', 'netdev.deliver', 'netdev.receive'],
  ] as const)('at %s that frees what it accepts', async (point, taker, before) => {
    const { host, device } = await bootKeeper();
    const run = (skb: Skb): number => {
      skb.memory.pool.release(skb);
      return VERDICT.ACCEPT;
    };
    await host.load('ip', { handlers: [new FakeHandler()] });
    await host.load('bad', { hooks: [deviceHook(HOOK_POINT[point], run)] });
    const act = () => (point === 'EGRESS' ? send(host, device, 'x') : receive(host, device, frame('x')));
    expect(faultOf(act)).toBe(`${taker} takes a packet that is freed already (by who had it from ${before})`);
  });

  test('that steals a packet may send it elsewhere, or give it to somebody who claims it', async () => {
    const { host, driver, device } = await bootKeeper();
    const other = plug(host, driver, 'eth1');
    const redirect = deviceHook(HOOK_POINT.EGRESS, (skb, _chain, _input, output) => {
      if (output !== device) return VERDICT.ACCEPT;
      host.traffic().transmit(other, skb);
      return VERDICT.STOLEN;
    });
    await host.load('redirect', { hooks: [redirect] });
    send(host, device, 'x');
    expect(driver.kept).toHaveLength(1);
  });
});

describe('received', () => {
  test('a packet that is handed up twice', async () => {
    const { host, device } = await bootKeeper();
    const handler = new FakeHandler();
    await host.load('ip', { handlers: [handler] });
    const again: Skb[] = [];
    handler.input = (skb) => {
      claim(skb, 'ip.input');
      again.push(skb);
    };
    receive(host, device, frame('x'));
    const batch = { first: again[0]!, last: again[0]!, lenPackets: 1, lenBytes: again[0]!.len };
    expect(faultOf(() => host.traffic().receive(device.rxQueues[0]!, batch))).toBe(
      'netdev.receive takes a packet that ip.input still owns',
    );
  });

  test('a handler of GRO that takes a packet and says that it did not', async () => {
    const { host, device } = await bootKeeper();
    device.features = DEVICE_FEATURE.GRO;
    const ip = new FakeHandler();
    ip.gro = {
      begin: () => true,
      sameFlow: () => false,
      merge: (_held, skb) => {
        skb.memory.pool.release(skb);
        return GRO.DIFFERENT;
      },
      finish: () => {},
    };
    await host.load('ip', { handlers: [ip] });
    expect(faultOf(() => receive(host, device, frame('x'), frame('y')))).toBe(
      'netdev.receive passes on a packet that is freed already (by netdev.receive)',
    );
  });

  test('what waits in the backlog is nobody else’s', async () => {
    const { host, device } = await bootKeeper();
    const skb = packet(host, frame('x'));
    host.backlog().receive(skb, device);
    expect(faultOf(() => host.traffic().transmit(device, skb))).toBe('netdev.transmit takes a packet that netdev.backlog still owns');
    expect(faultOf(() => host.backlog().receive(skb, device))).toBe('netdev.backlog takes a packet that netdev.backlog still owns');
  });
});

test('a handler that cuts a packet into one that is freed', async () => {
  const { host, device } = await bootKeeper();
  const ip = new FakeHandler();
  ip.segment = (skb, _features, out) => {
    out.first = skb;
    out.last = skb;
    out.lenPackets = 1;
    out.lenBytes = skb.len;
    skb.memory.pool.release(skb);
    return true;
  };
  await host.load('ip', { handlers: [ip] });
  const skb = Object.assign(outgoing(host, device, 'abc'), { gsoSize: 1, gsoSegs: 3, gsoType: DEVICE_FEATURE.GSO_UDP });
  expect(faultOf(() => host.traffic().transmit(device, skb))).toBe(
    'netdev.send takes a packet that is freed already (by who had it from netdev.send)',
  );
});
