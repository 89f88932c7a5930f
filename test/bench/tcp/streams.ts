import { CubicModule, RenoModule } from '@softnet/congestion';
import type { SockCommon, SocketCalls } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, Message, SOCK_TYPE, SockAddress, Sockets } from '@softnet/contract';
import { World } from '@softnet/kernel';
import { TcpModule } from '@softnet/tcp';
import type { NetHost } from '@softnet/testkit';
import { HOST_STACK, Net } from '@softnet/testkit';
import { parseAddress } from '@softnet/wire';
import type { Loop } from '../span.ts';

const { EAGAIN, EINPROGRESS } = ERRNO;
const PORT = 80;
const BLOCK_BYTES = 65_536;
/** Of virtual time, in which what was sent arrives and is answered: the wire has no delay of its own. */
const STEP_US = 10;
/** So much code is not optimised within the usual warm-up. */
const WARM_BLOCKS = 2_000;
const WARM_ROUNDS = 20_000;
const WARM_CONNECTIONS = 10_000;
/** As users have it: 8,192 of each. */
const MEMORY = { 'net.core.skb_buffers': 8192, 'net.core.skb_pages': 8192 };

interface Wire {
  readonly net: Net;
  readonly a: NetHost;
  readonly b: NetHost;
  readonly listener: SockCommon;
}

/** Two hosts, and who listens on port 80 of the second. */
async function wire(mtuBytes: number, cable: object, settings: Record<string, number | string>): Promise<Wire> {
  const net = new Net({
    world: new World({ maxStepsPerInstant: Number.MAX_SAFE_INTEGER }),
    modules: [...HOST_STACK, RenoModule, CubicModule, TcpModule],
    kernel: { settings: { ...MEMORY, ...settings } },
  });
  const [a, b] = [await net.host('a'), await net.host('b')];
  await net.join({ host: a, device: 'eth0', addresses: ['10.0.0.1/24'] }, { host: b, device: 'eth0', addresses: ['10.0.0.2/24'] }, cable);
  for (const host of [a, b]) host.setMtu('eth0', mtuBytes);
  const listener = open(b);
  must(listener.ops.calls!.bind(listener, addressOf('0.0.0.0')));
  must(listener.ops.calls!.listen(listener, 1024));
  return { net, a, b, listener };
}

function open({ kernel }: NetHost): SockCommon {
  return kernel.port(Sockets).current.open(ADDRESS_FAMILY.INET, SOCK_TYPE.STREAM, 0, { name: 'bench' });
}

function addressOf(text: string): SockAddress {
  const [address0, address1, address2, address3] = parseAddress(text)!.words;
  return Object.assign(new SockAddress(), { family: ADDRESS_FAMILY.INET, address0, address1, address2, address3, port: PORT });
}

function must(result: number): number {
  if (result < 0) throw new Error(`a call failed: ${result}`);
  return result;
}

const SERVER = addressOf('10.0.0.2');

/** Connects, and accepts. @param patienceUs of virtual time, in which the handshake is done. */
function connect({ net, a, listener }: Wire, patienceUs: number): readonly [SockCommon, SockCommon] {
  const client = open(a);
  const result = client.ops.calls!.connect(client, SERVER);
  if (result !== -EINPROGRESS) must(result);
  net.world.advanceSync(patienceUs);
  const server = listener.ops.calls!.accept(listener, { name: 'bench' });
  if (server === null) throw new Error('nobody was connected');
  return [client, server];
}

/** A block goes out of one socket, all that has come in by the other: octets that came. */
class Flow {
  readonly #calls: SocketCalls;
  readonly #out = Object.assign(new Message(), { data: new Uint8Array(BLOCK_BYTES).fill(7) });
  readonly #in = Object.assign(new Message(), { data: new Uint8Array(4 * BLOCK_BYTES) });
  readonly #from: SockCommon;
  readonly #to: SockCommon;

  constructor(from: SockCommon, to: SockCommon) {
    this.#from = from;
    this.#to = to;
    this.#calls = from.ops.calls!;
  }

  /** As much as there is room for, by blocks. */
  fill(): void {
    for (let sent = 1; sent > 0; ) {
      sent = this.#calls.send(this.#from, this.#out);
      if (sent < 0 && sent !== -EAGAIN) must(sent);
    }
  }

  drain(): number {
    let bytes = 0;
    for (;;) {
      const got = this.#calls.receive(this.#to, this.#in);
      if (got === -EAGAIN) return bytes;
      if (must(got) === 0) throw new Error('the stream has ended');
      bytes += got;
    }
  }
}

/** Blocks of 64 KiB from one host to the other, as fast as it goes. */
export async function bulkLoop(mtuBytes: number): Promise<Loop> {
  const made = await wire(mtuBytes, {}, {});
  const flow = new Flow(...connect(made, 1_000_000));
  let bytes = 0;
  const loop = (n: number): number => {
    for (const end = bytes + n * BLOCK_BYTES; bytes < end; ) {
      flow.fill();
      made.net.world.advanceSync(STEP_US);
      bytes += flow.drain();
    }
    return bytes;
  };
  loop(WARM_BLOCKS);
  return loop;
}

/** One octet there, and one back. */
export async function roundTripLoop(): Promise<Loop> {
  const made = await wire(1500, {}, {});
  const [client, server] = connect(made, 1_000_000);
  const roundTrip = exchange(made.net);
  const loop = (n: number): number => {
    for (let i = 0; i < n; i++) roundTrip(client, server);
    return n;
  };
  loop(WARM_ROUNDS);
  return loop;
}

/** Connect, one octet there and one back, and both close. TIME-WAIT lasts 1 ms, else ports run out. */
export async function connectionLoop(): Promise<Loop> {
  const made = await wire(1500, {}, { 'net.tcp.time_wait_ms': 1 });
  // The first asks for the neighbour.
  const first = connect(made, 1_000_000);
  const roundTrip = exchange(made.net);
  const { world } = made.net;
  const end = (pair: readonly [SockCommon, SockCommon]): void => {
    for (const sock of pair) {
      sock.ops.calls!.close(sock);
      world.advanceSync(STEP_US);
    }
  };
  end(first);
  const loop = (n: number): number => {
    for (let i = 0; i < n; i++) {
      const pair = connect(made, STEP_US);
      roundTrip(...pair);
      end(pair);
    }
    return n;
  };
  loop(WARM_CONNECTIONS);
  return loop;
}

function exchange({ world }: Net): (client: SockCommon, server: SockCommon) => void {
  const out = Object.assign(new Message(), { data: Uint8Array.of(7) });
  const into = Object.assign(new Message(), { data: new Uint8Array(16) });
  const pass = (from: SockCommon, to: SockCommon): void => {
    must(from.ops.calls!.send(from, out));
    world.advanceSync(STEP_US);
    if (to.ops.calls!.receive(to, into) !== 1) throw new Error('an octet has not come');
  };
  return (client, server) => {
    pass(client, server);
    pass(server, client);
  };
}

/** Mbit/s of virtual time over a wire that loses so much, both ways; the mean of some seeds of its chance. */
export function lossyMbps(control: string, loss: number, rttUs: number, seconds: number, seeds: readonly number[]): Promise<number> {
  const each = seeds.map((seed) => lossyRun(control, { loss, delayUs: rttUs / 2, seed }, seconds));
  return Promise.all(each).then((all) => all.reduce((sum, mbps) => sum + mbps) / all.length);
}

async function lossyRun(control: string, cable: object, seconds: number): Promise<number> {
  const made = await wire(1500, cable, { 'net.ipv4.tcp_congestion_control': control });
  const flow = new Flow(...connect(made, 10_000_000));
  const { world } = made.net;
  const fromUs = world.nowUs;
  let bytes = 0;
  while (world.nowUs - fromUs < seconds * 1e6) {
    flow.fill();
    world.advanceSync(1_000);
    bytes += flow.drain();
  }
  return (bytes * 8) / (world.nowUs - fromUs);
}
