import { Ipv4Module } from '@softnet/ipv4';
import { Ipv6Module } from '@softnet/ipv6';
import { Kernel, World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { LoopbackModule } from '@softnet/nic-driver';
import type { Answer, ProcessOptions } from '@softnet/posix';
import { Posix } from '@softnet/posix';
import { RouteModule } from '@softnet/route';
import { SkbModule } from '@softnet/skb';
import { SocketModule } from '@softnet/socket';
import { UdpModule } from '@softnet/udp';
import { PairModule } from './pair-stream.ts';

const MODULES = [SkbModule, NetdevModule, RouteModule, SocketModule, Ipv4Module, Ipv6Module, LoopbackModule, UdpModule, PairModule];

/** A host with a loopback, UDP and streams of its own, and a process on it. */
export async function posixHost(options: ProcessOptions = {}) {
  const world = new World({ clock: 'virtual', seed: 4 });
  const kernel = new Kernel({ world, name: 'k' });
  for (const module of MODULES) await world.run(kernel.load(module));
  await world.advance(1000);
  const posix = new Posix(kernel, { name: 'program', ...options });
  return {
    ...{ world, kernel, posix },
    pass: (us: number) => world.advance(us),
    /** Watches a call from outside: whether it is done, with what, and when. */
    watch: (answer: Answer) => {
      const seen: { result: number | undefined; atUs: number } = { result: undefined, atUs: 0 };
      const done = (result: number): void => {
        seen.result = result;
        seen.atUs = kernel.clock.nowUs;
      };
      if (typeof answer === 'number') done(answer);
      else void answer.then(done);
      return seen;
    },
    end: async () => {
      posix.exit();
      const { faults, leaks } = await world.run(kernel.shutdown());
      return { faults: faults.map(({ message }) => message), leaks, modules: kernel.modules().length };
    },
  };
}

export const CLEAN = Object.freeze({ faults: [], leaks: [], modules: 0 });
