import type { Kernel } from '@softnet/kernel';
import type { Cable, CableOptions } from '@softnet/nic-driver';
import type { NodeFaces } from '@softnet/node';
import { createNode } from '@softnet/node';
import type { NetHost } from '@softnet/testkit';
import { routedHosts } from '@softnet/testkit';
import { TCP_STACK } from '../stack/tcp/host.ts';
import { Passing } from './passing.ts';
import type { Ending } from './soft-host.ts';
import { ending } from './soft-host.ts';

/** A host of a {@link SoftNet}, and Node's modules over it. */
interface SoftEnd extends NodeFaces {
  readonly kernel: Kernel;
  readonly host: NetHost;
}

/** Two hosts, 10.0.1.2 and 10.0.2.2, fd00:1::2 and fd00:2::2, with a router between them, in virtual time that passes by itself. */
export interface SoftNet {
  readonly a: SoftEnd;
  readonly b: SoftEnd;
  /** Of `a`; `b`'s. */
  readonly cables: readonly Cable[];
  /** Virtual µs. */
  readonly nowUs: number;
  pass(ms: number): Promise<void>;
  /** While it works, what goes from one to the other is lost in silence. */
  severed(work: () => Promise<void>): Promise<void>;
  /** What the shutdown of all says, without what was configured here. */
  end(): Promise<Ending[]>;
}

/** Packets to it are lost in silence. */
export const SILENT = '10.0.9.9';
/** On the link of `a`, and nobody's. */
export const NOBODY = Object.freeze(['10.0.1.8', 'fd00:1::8']);

export async function softNet(cable: CableOptions = {}, turnUs?: number): Promise<SoftNet> {
  const { net, a, r, b } = await routedHosts({ modules: TCP_STACK, seed: 5, cable: { delayUs: 250, ...cable } });
  r.addRoute(`${SILENT}/32`, { type: 'BLACKHOLE' });
  const passing = new Passing(net.world, turnUs);
  const end = (host: NetHost): SoftEnd => ({ ...createNode(host.kernel), kernel: host.kernel, host });
  return {
    ...{ a: end(a), b: end(b), cables: net.cables },
    get nowUs() {
      return net.world.nowUs;
    },
    pass: (ms) => passing.pass(ms),
    severed: async (work) => {
      for (const end of ENDS) r.addRoute(end, { type: 'BLACKHOLE' });
      await work();
      for (const end of ENDS) r.removeRoute(end, { type: 'BLACKHOLE' });
    },
    end: () => passing.end(async () => (await Promise.all(net.hosts.map(({ kernel }) => ending(kernel)))).map(withoutOwn)),
  };
}

const ENDS = ['10.0.1.2/32', '10.0.2.2/32'];

function withoutOwn({ broken, ...rest }: Ending): Ending {
  return { ...rest, broken: broken.filter((each) => Reflect.get(each as object, 'owner') !== 'ip') };
}
