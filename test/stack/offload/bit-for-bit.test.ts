import { createHash } from 'node:crypto';
import type { ModuleClass } from '@softnet/contract';
import { UDP_OPTION } from '@softnet/udp';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BurstHost } from './burst-host.ts';
import type { Taken } from './burst-socket.ts';
import { BurstSocket, datagramsOf } from './burst-socket.ts';
import { EditingModule, NarrowingModule } from './editing-hook.ts';
import type { Shot } from './frames.ts';
import { arrivalOf, bursts, flowOf } from './frames.ts';

const RUNS = 250;

/** An ICMP message: all but the header around it, whose identification is the router's. */
function errorOf(frame: Uint8Array): string {
  return nameOf(frame.subarray(14 + (frame[14]! >>> 4 === 4 ? 20 : 0)));
}

/** Its headers, and all of it as a digest: short enough to be read. */
function nameOf(frame: Uint8Array): string {
  const all = createHash('sha1').update(frame).digest('hex').slice(0, 12);
  return `${frame.length} ${Buffer.from(frame.subarray(0, 62)).toString('hex')} ${all}`;
}

function received(taken: Taken): string[] {
  return datagramsOf(taken).map((data) => `${taken.from} ${createHash('sha1').update(data).digest('hex')}`);
}

interface Rig {
  readonly host: BurstHost;
  readonly single: BurstSocket;
  readonly merged: BurstSocket;
}

async function rig(gro: boolean, mtuBytes: number): Promise<Rig> {
  const host = await BurstHost.boot({ gro, mtuBytes });
  const [single, merged] = [7, 8].map((port) => new BurstSocket(host).bind(port).takeMuch()) as [BurstSocket, BurstSocket];
  merged.set(UDP_OPTION.GRO, 1);
  return { host, single, merged };
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
  const sockets = [single, merged].map((socket) => socket.takeAll().flatMap(received).sort());
  return { lines, errors: back.map(errorOf).sort(), sockets };
}

test.each<[string, { mtuBytes?: number; maxBytes: number; hooks?: ModuleClass }]>([
  ['as it came', { maxBytes: 300 }],
  ['by a device with a smaller MTU', { maxBytes: 1452, mtuBytes: 1280 }],
  ['changed by hooks', { maxBytes: 300, hooks: EditingModule }],
  ['sent by a narrower way by hooks', { maxBytes: 1452, hooks: NarrowingModule }],
])('whatever comes leaves the other device as if it had not been merged: %s', async (_name, { mtuBytes = 1500, maxBytes, hooks }) => {
  const [plain, merging] = [await rig(false, mtuBytes), await rig(true, mtuBytes)];
  for (const { host } of [plain, merging]) if (hooks !== undefined) await host.world.run(host.kernel.load(hooks));
  const cuts = maxBytes > 1280;
  let frames = 0;
  fc.assert(
    fc.property(bursts(maxBytes), (shots) => {
      frames += shots.length;
      expect(outcome(merging, shots, cuts)).toEqual(outcome(plain, shots, cuts));
    }),
    { numRuns: RUNS },
  );
  const { host } = merging;
  expect(host.counter('gro.merged') / frames).toBeGreaterThan(0.25);
  expect(plain.host.counter('gro.offered')).toBe(0);
  for (const each of [plain, merging]) {
    await each.host.world.advance(120_000_000);
    for (const socket of [each.single, each.merged]) socket.close();
    expect([each.host.skbsOut, each.host.memoryOut]).toEqual([0, 0]);
    await each.host.end();
  }
});
