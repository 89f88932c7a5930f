import { DstUse, isFresh, Route, RouteTables } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { RouteModule } from '@softnet/route';
import { SkbModule } from '@softnet/skb';
import type { Traffic } from '@softnet/testkit';
import { complianceChecks, WireTrace } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';
import { Bench, BenchModule, DriverModule, entryOf, flowTo, LayerModule, Program, sendTo } from './route-host.ts';

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
    route.current.attach(talker.use, flowTo((10 << 24) | (talker.prefix << 16)), talker.program, 'test.attach');
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

/** It holds nothing up, is replaced by hand-over only, and comes as a class. */
const NOT_APPLICABLE: readonly string[] = Object.freeze([
  ...['unload under traffic', 'the dry run says what happens', 'force', 'unload in the midst of opening'],
  ...['a deadline that passes means live again', 'abort', 'parked objects are silent, and live again'],
  ...['replace by draining', 'code is collected'],
]);

describe('route complies', () => {
  test.each(
    complianceChecks({
      source: RouteModule,
      holdsNothingUp: true,
      needs: [SkbModule, NetdevModule, BenchModule, DriverModule, LayerModule],
      traffic: talk,
    }),
  )('$name', async ({ name, run }) => {
    const { applies, sentence } = await run();
    expect([applies, sentence]).toEqual([!NOT_APPLICABLE.includes(name), sentence]);
  });
});
