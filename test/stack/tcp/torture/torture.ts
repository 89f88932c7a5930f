import { CubicModule, RenoModule } from '@softnet/congestion';
import type { Notice, Owner } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, IPV4_WORD2, MemoryAccounts, SOCK_TYPE, SockAddress, SockCommon, Sockets } from '@softnet/contract';
import type { ModuleSource } from '@softnet/kernel';
import type { LineSettings } from '@softnet/nic-driver';
import { TcpModule } from '@softnet/tcp';
import type { NetHost } from '@softnet/testkit';
import { HOST_STACK, Net } from '@softnet/testkit';
import { parseAddress } from '@softnet/wire';
import type { Behaviour } from './stream-user.ts';
import { StreamUser } from './stream-user.ts';

/** What happens to the module under the connections. */
type Upheaval = 'none' | 'replace' | 'drain' | 'abort' | 'unload';
const UPHEAVALS: readonly Upheaval[] = ['none', 'replace', 'drain', 'abort', 'unload'];
const PORT = 7000;
const MINUTE_MS = 60_000;
/** A reset may be lost, and then only a keepalive tells that nobody is there any more. */
const SETTINGS = Object.freeze({
  'net.ipv4.tcp_keepalive_time': 60,
  'net.ipv4.tcp_keepalive_intvl': 10,
  'net.ipv4.tcp_keepalive_probes': 20,
});

/** Small integers that follow from a seed. */
class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed, 0x9e3779b1) | 1;
  }

  below(bound: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % bound;
  }

  happens(percent: number): boolean {
    return this.below(100) < percent;
  }
}

/** Whoever owns sockets here, and forgets none that is handed over. */
class Program implements Owner {
  readonly name: string;
  readonly users: StreamUser[] = [];

  constructor(name: string) {
    this.name = name;
  }

  notice({ sort, object, before }: Notice): void {
    if (sort !== 'moved' || !(before instanceof SockCommon)) return;
    if (before.user instanceof StreamUser) before.user.follow(object as SockCommon);
    else this.moved?.(object as SockCommon, before);
  }
  moved: ((sock: SockCommon, before: SockCommon) => void) | null = null;
}

/** What one seed did, as plain data: the same seed, the same words. */
export interface TortureReport {
  readonly seed: number;
  readonly upheaval: Upheaval;
  readonly connections: number;
  readonly bytes: number;
  readonly virtualMs: number;
  /** Sentences about what must not be; none. */
  readonly faults: readonly string[];
}

/** Two hosts, a bad wire, programs that write and read as they like, and a module that comes and goes under them. */
export async function torture(seed: number): Promise<TortureReport> {
  const chance = new Chance(seed);
  const net = new Net({
    seed,
    modules: [...HOST_STACK, RenoModule, CubicModule, TcpModule] as ModuleSource[],
    kernel: { settings: SETTINGS },
  });
  const a = await net.host('a');
  const b = await net.host('b');
  await net.join(
    { host: a, device: 'eth0', addresses: ['10.0.0.1/24', 'fd00::1/64'] },
    { host: b, device: 'eth0', addresses: ['10.0.0.2/24', 'fd00::2/64'] },
    { ...badLine(chance), seed },
  );
  const family = chance.happens(50) ? ADDRESS_FAMILY.INET : ADDRESS_FAMILY.INET6;
  const upheaval = UPHEAVALS[chance.below(UPHEAVALS.length)]!;
  const [client, server] = [new Program('client'), new Program('server')];
  const count = 1 + chance.below(6);
  const behaviours = Array.from({ length: count }, () => [behaviour(chance), behaviour(chance)] as const);
  const listener = listen(b, family, server, behaviours);
  for (const [i, [ours]] of behaviours.entries()) connect(a, family, client, ours, i);
  const faults: string[] = [];
  await upheave(net, chance.happens(75) ? b : a, upheaval, chance, faults);
  await settle(net, [client, server], behaviours);
  judge(client, server, behaviours, faults, upheaval);
  closeListener(listener);
  for (const user of [...client.users, ...server.users]) user.close();
  await net.pass(2 * MINUTE_MS);
  leftovers([a, b], faults);
  const virtualMs = Math.round(net.world.nowUs / 1000);
  await net.dispose();
  const bytes = [...client.users, ...server.users].reduce((sum, user) => sum + user.readBytes, 0);
  return { seed, upheaval, connections: count, bytes, virtualMs, faults };
}

function badLine(chance: Chance): Partial<LineSettings> {
  const some = (percent: number, most: number): number => (chance.happens(percent) ? chance.below(most) / 1000 : 0);
  return {
    delayUs: chance.below(50_000),
    jitterUs: chance.happens(50) ? chance.below(20_000) : 0,
    ...{ loss: some(70, 100), duplicate: some(40, 50), reorder: some(40, 100), corrupt: some(40, 30) },
    rateBps: chance.happens(30) ? 1_000_000 + chance.below(50_000_000) : 0,
  };
}

function behaviour(chance: Chance): Behaviour {
  return {
    sendBytes: chance.happens(20) ? 0 : chance.below(chance.happens(10) ? 200_000 : 20_000),
    chunkBytes: chance.happens(30) ? 1 + chance.below(50) : 1 + chance.below(9000),
    pauseUs: chance.happens(50) ? 0 : chance.below(chance.happens(20) ? 200_000 : 5000),
    quitsAt: chance.happens(10) ? chance.below(10_000) : -1,
    aborts: chance.happens(50),
    seed: chance.below(1 << 30),
  };
}

function addressOf(text: string, family: number, port: number): SockAddress {
  const { words } = parseAddress(text)!;
  const address = new SockAddress();
  [address.address0, address.address1, address.address2, address.address3] = words;
  if (family === ADDRESS_FAMILY.INET) address.address2 = IPV4_WORD2;
  address.family = family;
  address.port = port;
  return address;
}

type Pairs = readonly (readonly [Behaviour, Behaviour])[];

function listen({ kernel }: NetHost, family: number, server: Program, behaviours: Pairs): { sock: SockCommon } {
  const held = { sock: kernel.port(Sockets).current.open(family, SOCK_TYPE.STREAM, 0, server) };
  const serve = (): void => {
    const { sock } = held;
    for (let child = sock.ops.calls!.accept(sock, server); child !== null; child = sock.ops.calls!.accept(sock, server)) {
      // The client's port says which of the connections it is.
      const i = child.remotePort - PORT - 1;
      server.users.push(new StreamUser(kernel, child, behaviours[i]![1], 2 * i + 1, 2 * i));
    }
  };
  const adopt = (sock: SockCommon): void => {
    held.sock = sock;
    sock.wake = serve;
  };
  adopt(held.sock);
  server.moved = (sock, before) => {
    if (before !== held.sock) return;
    adopt(sock);
    serve();
  };
  const { calls } = held.sock.ops;
  const any = addressOf(family === ADDRESS_FAMILY.INET ? '0.0.0.0' : '::', family, PORT);
  must(calls!.bind(held.sock, any), 'bind');
  must(calls!.listen(held.sock, 16), 'listen');
  return held;
}

function connect({ kernel }: NetHost, family: number, client: Program, ours: Behaviour, i: number): void {
  const sock = kernel.port(Sockets).current.open(family, SOCK_TYPE.STREAM, 0, client);
  const calls = sock.ops.calls!;
  must(calls.bind(sock, addressOf(family === ADDRESS_FAMILY.INET ? '10.0.0.1' : 'fd00::1', family, PORT + 1 + i)), 'bind');
  const asked = calls.connect(sock, addressOf(family === ADDRESS_FAMILY.INET ? '10.0.0.2' : 'fd00::2', family, PORT));
  if (asked !== -ERRNO.EINPROGRESS) must(asked, 'connect');
  client.users.push(new StreamUser(kernel, sock, ours, 2 * i, 2 * i + 1));
}

function must(result: number, call: string): void {
  if (result < 0) throw new Error(`${call}: ${result}`);
}

async function upheave(net: Net, { kernel }: NetHost, upheaval: Upheaval, chance: Chance, faults: string[]): Promise<void> {
  await net.pass(chance.below(3000));
  if (upheaval === 'none') return;
  try {
    if (upheaval === 'replace') await net.run(kernel.replace('tcp', TcpModule, { mode: 'handover' }));
    else if (upheaval === 'drain')
      void kernel.replace('tcp', TcpModule, { mode: 'drain' }).catch((error: unknown) => faults.push(String(error)));
    else {
      const unload = kernel.unload('tcp', { deadlineMs: upheaval === 'abort' ? 500 : 20 * MINUTE_MS });
      void Promise.resolve(unload).catch((error: unknown) => faults.push(String(error)));
    }
  } catch (error) {
    faults.push(`${upheaval}: ${String(error)}`);
  }
}

/** Until all have closed, in at most ten virtual hours: octet by octet takes long. */
async function settle(net: Net, programs: readonly Program[], behaviours: Pairs): Promise<void> {
  const isDone = (): boolean =>
    programs[0]!.users.length === behaviours.length && programs.every(({ users }) => users.every(({ closed }) => closed));
  for (let minute = 0; minute < 600 && !isDone(); minute++) await net.pass(MINUTE_MS);
}

/** Who quits early, or came to a door that was shut, may be cut off; all others have had all octets. */
function judge(client: Program, server: Program, behaviours: Pairs, faults: string[], upheaval: Upheaval): void {
  for (const user of [...client.users, ...server.users]) {
    if (user.wrongAt >= 0) faults.push(`the octet at ${user.wrongAt} is wrong`);
    if (!user.closed)
      faults.push(
        `somebody waits for ever: sent ${user.sentBytes} of ${user.behaviour.sendBytes}, read ${user.readBytes}, state ${user.sock.state}`,
      );
  }
  for (const [i, ours] of client.users.entries()) {
    const theirs = server.users.find(({ sock, behaviour: their }) => their === behaviours[i]![1] && sock !== null);
    if (theirs === undefined) {
      // Nobody on the link may have answered three times, where each frame may be lost.
      const isUnreachable = ours.errno === ERRNO.EHOSTUNREACH;
      if (!isUnreachable && (upheaval === 'none' || upheaval === 'replace'))
        faults.push(`connection ${i} was not accepted, errno ${ours.errno}`);
      continue;
    }
    if (ours.behaviour.quitsAt >= 0 || theirs.behaviour.quitsAt >= 0) continue;
    for (const [reader, writer] of [
      [ours, theirs],
      [theirs, ours],
    ] as const) {
      if (reader.errno !== 0) faults.push(`connection ${i} ended with errno ${reader.errno}`);
      else if (reader.readBytes !== writer.behaviour.sendBytes)
        faults.push(`connection ${i}: ${reader.readBytes} of ${writer.behaviour.sendBytes} octets`);
    }
  }
}

function closeListener({ sock }: { sock: SockCommon }): void {
  sock.ops.calls!.close(sock);
}

function leftovers(hosts: readonly NetHost[], faults: string[]): void {
  for (const { kernel } of hosts) {
    for (const { kind, place } of kernel.module('tcp') === undefined ? [] : kernel.holders('tcp'))
      faults.push(`${kernel.name}: left behind: ${kind}, ${place}`);
    const account = kernel
      .port(MemoryAccounts)
      .current.all()
      .find(({ name }) => name === 'tcp');
    if (account !== undefined && account.bytes !== 0) faults.push(`${kernel.name}: ${account.bytes} bytes are still charged to tcp`);
    for (const fault of kernel.faults) faults.push(`${kernel.name}: ${String(fault)}`);
  }
}
