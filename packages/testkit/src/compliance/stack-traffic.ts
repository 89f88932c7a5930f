import type { ModuleContext, Notice, Owner, SoftnetModule } from '@softnet/contract';
import { defineService, Module } from '@softnet/contract';
import type { Kernel } from '@softnet/kernel';
import type { Flow, Packet, Receiver } from '../exchange/service.ts';
import { Exchange, ExchangeDoor, ProtocolDoor } from '../exchange/service.ts';
import { Cable } from '../link/cable.ts';
import type { LinkPort } from '../link/service.ts';
import { Link, LinkDoor, LinkInput } from '../link/service.ts';
import { checkPattern, pattern } from '../traffic.ts';
import type { Knock, Traffic } from './subject.ts';

const RAW = 200;
const BYTES = 500;

/** Hears what link and exchange give to modules, so that a test can see it. */
interface Ear {
  frame: ((payload: Uint8Array) => void) | null;
  stranger: ((packet: Packet) => void) | null;
}
const Ear = defineService<Ear>({ name: 'TestEar', version: '1.0.0' });

@Module({ name: 'test-ear', version: '1.0.0', provides: [Ear, LinkInput, ProtocolDoor] })
export class TestEar implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const ear: Ear = { frame: null, stranger: null };
    ctx.corridor(Ear, ear);
    ctx.contribute(LinkInput, { input: (_from, _to, payload) => ear.frame?.(payload) }, 'corridor');
    ctx.contribute(ProtocolDoor, { protocol: RAW, unmatched: (packet) => ear.stranger?.(packet) }, 'door');
  }
}

/** Frames over a link: each checked. */
export async function linkTraffic(kernels: readonly Kernel[]): Promise<Traffic> {
  const [a, b] = kernels as [Kernel, Kernel];
  const plugged: { cable: Cable; port: LinkPort }[] = [];
  const plug = (kernel: Kernel, cable: Cable, address: number): void => {
    plugged.push({ cable, port: kernel.port(LinkDoor).current.plug(cable, address) });
  };
  const cableOf = (name: string): Cable => new Cable({ name, random: a.world.random.fork(name) });
  const cable = cableOf('cable');
  plug(a, cable, 1);
  plug(b, cable, 2);
  let sent = 0;
  return {
    exchange: () =>
      new Promise((resolve, reject) => {
        const from = sent;
        sent += BYTES;
        b.port(Ear).current.frame = (payload) => settle(resolve, reject, from, payload);
        if (!a.port(Link).current.transmit(2, pattern(1, from, BYTES))) reject(new Error('nothing reaches 2'));
      }),
    trace: () => cable.trace,
    openAnother: async () => plug(a, cableOf(`another ${plugged.length}`), 10 + plugged.length),
    close: async () => {
      for (const { cable: each } of plugged.splice(0)) each.pull();
    },
  };
}

/** A program with a flow of its own, which it follows to the next generation of the exchange. */
class RawUser implements Owner, Receiver {
  readonly name: string;
  readonly owner = 0;
  hear: (bytes: Uint8Array) => void = () => undefined;
  flow: Flow | null = null;

  constructor(name: string) {
    this.name = name;
  }

  receive({ payload }: Packet): void {
    this.hear(payload);
  }

  notice({ sort, object }: Notice): void {
    if (sort === 'closed') this.flow = null;
    if (sort !== 'moved') return;
    this.flow = object as Flow;
    this.flow.attach(this);
  }
}

/** Packets over an exchange, from flow to flow: each checked. */
export async function exchangeTraffic(kernels: readonly Kernel[]): Promise<Traffic> {
  const [a, b] = kernels as [Kernel, Kernel];
  const cable = new Cable({ random: a.world.random.fork('cable') });
  a.port(LinkDoor).current.plug(cable, 1);
  b.port(LinkDoor).current.plug(cable, 2);
  const users = [new RawUser('raw a'), new RawUser('raw b')] as const;
  const key = { protocol: RAW, localPort: 7, remotePort: 7 };
  users[0].flow = a.port(Exchange).current.claim({ ...key, remote: 2 }, users[0], users[0], 'raw.claim');
  users[1].flow = b.port(Exchange).current.claim({ ...key, remote: 1 }, users[1], users[1], 'raw.claim');
  let port = 1000;
  const bind = (): void => void a.port(ExchangeDoor).current.bind(RAW, port++, { name: `raw ${port}` });
  bind();
  let sent = 0;
  return {
    exchange: () =>
      new Promise((resolve, reject) => {
        if (users[0].flow === null) return reject(new Error('the flow is closed'));
        const from = sent;
        sent += BYTES;
        users[0].hear = (bytes) => settle(resolve, reject, from, bytes);
        users[1].hear = (bytes) => void b.port(Exchange).current.send(1, { protocol: RAW, fromPort: 7, toPort: 7, payload: bytes });
        a.port(Exchange).current.send(2, { protocol: RAW, fromPort: 7, toPort: 7, payload: pattern(1, from, BYTES) });
      }),
    openAnother: async () => bind(),
    knock: () => knockAt(a, b),
    trace: () => cable.trace,
    close: async () => {
      for (const { flow } of users) flow?.release();
    },
  };
}

/** A packet of nobody's. */
function knockAt(kernel: Kernel, outside: Kernel): Knock {
  let answered = false;
  kernel.port(Ear).current.stranger = () => {
    answered = true;
  };
  outside.port(Exchange).current.send(1, { protocol: RAW, fromPort: 8, toPort: 8, payload: new Uint8Array(1) });
  return {
    get answered() {
      return answered;
    },
    withdraw: () => {
      kernel.port(Ear).current.stranger = null;
    },
  };
}

function settle(resolve: (count: number) => void, reject: (error: unknown) => void, from: number, bytes: Uint8Array): void {
  try {
    checkPattern(1, from, bytes);
    resolve(bytes.length);
  } catch (error) {
    reject(error);
  }
}
