import { createHash } from 'node:crypto';
import { UDP_OPTION } from '@softnet/udp';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BurstHost } from './burst-host.ts';
import type { Taken } from './burst-socket.ts';
import { BurstSocket, datagramsOf } from './burst-socket.ts';
import { EditingModule } from './editing-hook.ts';
import type { Shot } from './frames.ts';
import { arrivalOf, bursts, flowOf } from './frames.ts';

const RUNS = 120;

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
  const [single, merged] = [new BurstSocket(host).bind(7), new BurstSocket(host).bind(8)];
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

test.each([
  ['as it came', 1500, 300, false],
  ['on a narrower way', 1280, 1452, false],
  ['changed by hooks', 1500, 300, true],
])('whatever comes leaves the other device as if it had not been merged: %s', async (_name, mtuBytes, maxBytes, edits) => {
  const [plain, merging] = [await rig(false, mtuBytes), await rig(true, mtuBytes)];
  for (const { host } of [plain, merging]) if (edits) await host.world.run(host.kernel.load(EditingModule));
  let frames = 0;
  fc.assert(
    fc.property(bursts(maxBytes), (shots) => {
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
    for (const socket of [each.single, each.merged]) socket.close();
    expect([each.host.skbsOut, each.host.memoryOut]).toEqual([0, 0]);
    await each.host.end();
  }
});
