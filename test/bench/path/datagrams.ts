import { createSocket } from 'node:dgram';
import type { SockCommon, SocketCalls } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, Message, SOCK_TYPE, Sockets } from '@softnet/contract';
import { World } from '@softnet/kernel';
import type { NetHost } from '@softnet/testkit';
import { Net } from '@softnet/testkit';
import { parseAddress } from '@softnet/wire';
import type { Loop } from '../span.ts';

/** As many are sent before they are received. */
const BATCH = 32;
const PORT = 5000;
const WARM_UP = 200_000;
/** Of virtual time, in which a batch arrives. */
const STEP_US = 10;

/** A socket at `host`, bound to `address`. */
function open(host: NetHost, address: string, port: number): SockCommon {
  const { family, words } = parseAddress(address)!;
  const sock = host.kernel.port(Sockets).current.open(family, SOCK_TYPE.DGRAM, 0, { name: 'bench' });
  must(sock.ops.calls!.bind(sock, to(family, words, port)));
  return sock;
}

function to(family: number, [address0, address1, address2, address3]: readonly number[], port: number) {
  return Object.assign(new Message().address, { family, address0, address1, address2, address3, port });
}

function must(result: number): void {
  if (result < 0) throw new Error(`a call failed: ${result}`);
}

/** From a connected socket of one host to a bound one of another, or the same. */
function datagramLoop(world: World, from: NetHost, at: NetHost, [here, there]: readonly [string, string], lenBytes: number): Loop {
  const receiver = open(at, there, PORT);
  const sender = open(from, here, 0);
  const { family, words } = parseAddress(there)!;
  must(sender.ops.calls!.connect(sender, to(family, words, PORT)));
  const sent = Object.assign(new Message(), { data: new Uint8Array(lenBytes).fill(7) });
  const received = Object.assign(new Message(), { data: new Uint8Array(65_535) });
  const sending: SocketCalls = sender.ops.calls!;
  const receiving: SocketCalls = receiver.ops.calls!;
  const batch = (count: number): number => {
    for (let i = 0; i < count; i++) if (sending.send(sender, sent) !== lenBytes) throw new Error('a datagram was not sent');
    world.advanceSync(STEP_US);
    let bytes = 0;
    for (let got = receiving.receive(receiver, received); got !== -ERRNO.EAGAIN; got = receiving.receive(receiver, received)) bytes += got;
    if (bytes !== count * lenBytes) throw new Error(`${bytes} of ${count * lenBytes} bytes have come`);
    return bytes;
  };
  // The first asks for the neighbour.
  sending.send(sender, sent);
  world.advanceSync(1_000_000);
  receiving.receive(receiver, received);
  const loop = (n: number): number => {
    let sum = 0;
    for (let left = n; left > 0; left -= BATCH) sum += batch(Math.min(left, BATCH));
    return sum;
  };
  // So much code is not optimised within the usual warm-up.
  loop(WARM_UP);
  return loop;
}

function benchNet(): Net {
  return new Net({ world: new World({ maxStepsPerInstant: Number.MAX_SAFE_INTEGER }) });
}

/** From socket to socket within a host. */
export async function loopbackLoop(family: number, lenBytes: number): Promise<Loop> {
  const net = benchNet();
  const host = await net.host('a');
  await net.pass(1);
  const address = family === ADDRESS_FAMILY.INET ? '127.0.0.1' : '::1';
  return datagramLoop(net.world, host, host, [address, address], lenBytes);
}

/** From socket to socket over a wire between two hosts. */
export async function wireLoop(family: number, lenBytes: number): Promise<Loop> {
  const net = benchNet();
  const [a, b] = [await net.host('a'), await net.host('b')];
  await net.join(
    { host: a, device: 'eth0', addresses: ['10.0.0.1/24', 'fd00::1/64'] },
    { host: b, device: 'eth0', addresses: ['10.0.0.2/24', 'fd00::2/64'] },
  );
  const ends = family === ADDRESS_FAMILY.INET ? (['10.0.0.1', '10.0.0.2'] as const) : (['fd00::1', 'fd00::2'] as const);
  return datagramLoop(net.world, a, b, ends, lenBytes);
}

/** The same over the machine's loopback, by Node's sockets. */
export async function nodeLoop(lenBytes: number, version: 4 | 6 = 4): Promise<Loop> {
  const [sender, receiver] = [createSocket(`udp${version}`), createSocket(`udp${version}`)];
  const address = version === 4 ? '127.0.0.1' : '::1';
  const data = new Uint8Array(lenBytes).fill(7);
  let bytes = 0;
  let missing = 0;
  let done: () => void = () => {};
  receiver.on('message', (message) => {
    bytes += message.length;
    if (--missing === 0) done();
  });
  await new Promise<void>((resolve) => receiver.bind(0, address, resolve));
  await new Promise<void>((resolve) => sender.connect(receiver.address().port, address, resolve));
  for (const socket of [sender, receiver]) socket.unref();
  const batch = (count: number): Promise<void> => {
    missing = count;
    const all = new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${missing} datagrams were lost`)), 5000);
      done = () => {
        clearTimeout(late);
        resolve();
      };
    });
    for (let i = 0; i < count; i++) sender.send(data);
    return all;
  };
  return async (n) => {
    for (let left = n; left > 0; left -= BATCH) await batch(Math.min(left, BATCH));
    return bytes;
  };
}
