import { DstUse, isFresh, Route, RouteTables } from '@softnet/contract';
import type { ModuleContext, SoftnetModule } from '@softnet/contract';
import { defineService, Module } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { RouteModule } from '@softnet/route';
import { SkbModule } from '@softnet/skb';
import type { Traffic } from '@softnet/testkit';
import { complianceChecks, WireTrace } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';
import { driverModule, entryOf, flowTo, layerModule, Program, sendTo, StubNet } from './route-host.ts';

/** Kernel time, and what the stubs of this kernel note. */
interface Bench {
  readonly net: StubNet;
  sleep(delayUs: number): Promise<void>;
}
const Bench = defineService<Bench>({ name: 'test-bench', version: '1.0.0' });

/** The stubs of a kernel: its net is made by the kernel's own module, so that kernels share nothing. */
function needs() {
  const nets: StubNet[] = [];
  @Module({ name: 'test-bench', version: '1.0.0', provides: [Bench] })
  class BenchModule implements SoftnetModule {
    start(ctx: ModuleContext): void {
      const net = new StubNet();
      nets.push(net);
      ctx.corridor(Bench, {
        net,
        sleep: (delayUs) => new Promise((resolve) => ctx.timer((done: () => void) => done(), resolve as () => void, 'sleep').arm(delayUs)),
      });
    }
  }
  return { BenchModule, last: () => nets.at(-1)! };
}

const { BenchModule, last } = needs();
/** Modules are loaded one after the other, kernel by kernel: the last net is that of the kernel at hand. */
const late = (make: (net: StubNet) => new () => SoftnetModule) => {
  const net = new Proxy({} as StubNet, {
    get: (_target, key) => Reflect.get(last(), key),
    set: (_target, key, value) => Reflect.set(last(), key, value),
  });
  return make(net);
};

/** A flow that goes to somebody new with each packet: the route is kept, the neighbour is asked for. */
class Talker {
  readonly program = new Program();
  readonly use = new DstUse();
  readonly prefix: number;
  sent = 0;

  constructor(prefix: number) {
    this.prefix = prefix;
  }
}

async function talk([kernel]: readonly Kernel[]): Promise<Traffic> {
  const { net, sleep } = kernel!.port(Bench).current;
  const route = kernel!.port(Route);
  const tables = kernel!.port(RouteTables);
  const talkers: Talker[] = [];
  const trace = new WireTrace();
  const open = (): void => {
    const talker = new Talker(talkers.length + 1);
    tables.current.add(entryOf(net, `10.${talker.prefix}.0.0/16 dev eth0`));
    net.programs!.hold(talker.program, { name: `talker ${talker.prefix}` }, 'test.open');
    talkers.push(talker);
    route.current.attach(talker.use, flowTo(10 << 24), talker.program, 'test.attach');
  };
  const say = async (talker: Talker): Promise<number> => {
    const to = (10 << 24) | (talker.prefix << 16) | ++talker.sent;
    for (let tries = 0; tries < 5; tries++) {
      const flow = flowTo(to);
      const dst = isFresh(talker.use) && talker.use.dst!.error === 0 ? talker.use.dst! : route.current.validate(talker.use, flow);
      if (dst.error !== 0) throw new Error(`no way to ${to}: ${dst.error}`);
      sendTo(kernel!, dst, to);
      await sleep(500);
      if (net.sent.some(({ number }) => number === to)) return 4;
    }
    throw new Error(`${to} did not arrive`);
  };
  open();
  open();
  return {
    exchange: async () => {
      const moved = await Promise.all(talkers.map(say));
      for (const { number } of net.sent.splice(0)) trace.add(Uint8Array.of(number, number >> 8, number >> 16), 0);
      return moved.reduce((sum, count) => sum + count, 0);
    },
    openAnother: async () => open(),
    trace: () => trace.value,
    close: async () => {
      for (const { program } of talkers.splice(0)) if (program.holdNext !== null) net.programs!.release(program);
    },
  };
}

const NOT_APPLICABLE: readonly string[] = [];

describe('route complies', () => {
  test.each(
    complianceChecks({
      source: RouteModule,
      holdsNothingUp: true,
      needs: [SkbModule, NetdevModule, BenchModule, late(driverModule), late(layerModule)],
      traffic: talk,
    }),
  )('$name', async ({ name, run }) => {
    const { applies, sentence } = await run();
    expect([applies, sentence]).toEqual([!NOT_APPLICABLE.includes(name), sentence]);
  });
});
