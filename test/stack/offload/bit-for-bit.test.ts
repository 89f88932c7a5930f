import { createHash } from 'node:crypto';
import type { SockCommon, SocketCalls } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, Message, SOCK_TYPE, Sockets } from '@softnet/contract';
import { SOL_UDP, UDP_OPTION } from '@softnet/udp';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BurstHost } from './burst-host.ts';
import type { Shot } from './frames.ts';
import { arrivalOf, bursts, flowOf } from './frames.ts';

const RUNS = 250;

/** A socket of the host, which reads all that has come. */
class Reader {
  readonly sock: SockCommon;
  readonly #calls: SocketCalls;
  readonly #message = new Message();
  readonly #place = new Uint8Array(65536);

  constructor(host: BurstHost, port: number, takesMerged: boolean) {
    this.sock = host.kernel.port(Sockets).current.open(ADDRESS_FAMILY.INET6, SOCK_TYPE.DGRAM, 0, host.host);
    this.#calls = this.sock.ops.calls!;
    const { address } = this.#message;
    address.family = ADDRESS_FAMILY.INET6;
    address.port = port;
    if (this.#calls.bind(this.sock, address) < 0) throw new Error('not bound');
    if (takesMerged) expect(this.#calls.setOption(this.sock, SOL_UDP, UDP_OPTION.GRO, Uint8Array.of(1, 0, 0, 0))).toBe(0);
  }

  /** Datagrams as they were sent, and from whom; how many calls that took. */
  read(): { datagrams: string[]; calls: number } {
    const datagrams: string[] = [];
    const message = this.#message;
    for (let calls = 0; ; calls++) {
      message.data = this.#place;
      message.flags = 0;
      const lenBytes = this.#calls.receive(this.sock, message);
      if (lenBytes === -ERRNO.EAGAIN) return { datagrams, calls };
      if (lenBytes < 0) throw new Error(`receive: ${lenBytes}`);
      const { address0, address1, address2, address3, port } = message.address;
      const from = [address0, address1, address2, address3, port].join();
      const size = message.control === null ? lenBytes : new DataView(message.control.data.buffer).getInt32(0, true);
      let at = 0;
      do {
        const end = Math.min(lenBytes, at + size);
        datagrams.push(`${from} ${Buffer.from(this.#place.subarray(at, end)).toString('base64')}`);
        at = end;
      } while (at < lenBytes);
    }
  }
}

/** Its headers, and all of it as a digest: short enough to be read. */
function nameOf(frame: Uint8Array): string {
  const all = createHash('sha1').update(frame).digest('hex').slice(0, 12);
  return `${frame.length} ${Buffer.from(frame.subarray(0, 62)).toString('hex')} ${all}`;
}

interface Rig {
  readonly host: BurstHost;
  readonly single: Reader;
  readonly merged: Reader;
}

async function rig(gro: boolean, mtuBytes: number): Promise<Rig> {
  const host = await BurstHost.boot({ gro, mtuBytes });
  return { host, single: new Reader(host, 7, false), merged: new Reader(host, 8, true) };
}

/**
 * What a router makes of a burst, in a form that does not depend on the order among flows.
 * @param cuts it cuts packets: their fragments say nothing of ports, and are looked at for themselves.
 */
function outcome({ host, single, merged }: Rig, shots: readonly Shot[], cuts: boolean) {
  host.receive(shots.map(arrivalOf));
  const { in: back, out } = host.take();
  const flows = out.map((frame) => ({ frame: nameOf(frame), ...flowOf(frame) }));
  const names = new Set(flows.map(({ pair, ports }) => `${pair} ${ports}`));
  const lines = [...names].sort().map((name) => {
    const [pair, ports] = name.split(' ');
    // What has no ports may be of any flow between both.
    const ofFlow = flows.filter((each) => each.pair === pair && ((each.ports === null && !cuts) || `${each.ports}` === ports));
    const frames = ofFlow.map(({ frame }) => frame);
    return ports === 'null' && cuts ? frames.sort() : frames;
  });
  const sockets = [single, merged].map((reader) => [...reader.read().datagrams].sort());
  return { lines, errors: back.length, sockets };
}

test.each([1500, 1280])('whatever comes, in at one device, leaves the other as if it had not been merged, MTU %d', async (mtuBytes) => {
  const [plain, merging] = [await rig(false, mtuBytes), await rig(true, mtuBytes)];
  let frames = 0;
  fc.assert(
    fc.property(bursts(1452), (shots) => {
      frames += shots.length;
      expect(outcome(merging, shots, mtuBytes < 1500)).toEqual(outcome(plain, shots, mtuBytes < 1500));
    }),
    { numRuns: RUNS, ...JSON.parse(process.env.FC ?? '{}') },
  );
  const { host } = merging;
  expect(host.counter('gro.merged') / frames).toBeGreaterThan(0.25);
  expect(plain.host.counter('gro.offered')).toBe(0);
  for (const each of [plain, merging]) {
    await each.host.world.advance(120_000_000);
    for (const { sock } of [each.single, each.merged]) sock.ops.calls!.close(sock);
    expect([each.host.skbsOut, each.host.memoryOut]).toEqual([0, 0]);
    await each.host.end();
  }
});
