import { viewOf } from '@softnet/wire';
import type { RawPeer } from './raw-peer.ts';

/** A million of each, by `SOFTNET_SIMULATION=whole npm test -- test/stack/ipv6`. */
const WHOLE = process.env.SOFTNET_SIMULATION === 'whole';

/** How many strangers: so many in the suite. */
export function many(few: number): number {
  return WHOLE ? 1_000_000 : few;
}

/** Minutes, for a million. */
export const LONG = { timeout: 900_000 };

/**
 * The packet of another stranger for each number, in the same bytes: 32-bit words at `places`, zero at first, are that number. The checksum at
 * `checksumAt` covers them all, be it by the pseudo-header; -1: none does.
 */
export function spoofed(packet: Uint8Array, places: readonly number[], checksumAt: number): (index: number) => Uint8Array {
  const view = viewOf(packet);
  const sum = checksumAt < 0 ? 0 : 0xffff - view.getUint16(checksumAt);
  return (index) => {
    for (const at of places) view.setUint32(at, index);
    if (checksumAt < 0) return packet;
    let now = sum + places.length * ((index >>> 16) + (index & 0xffff));
    while (now > 0xffff) now = (now & 0xffff) + (now >>> 16);
    view.setUint16(checksumAt, 0xffff - now);
    return packet;
  };
}

export interface FloodPlan {
  readonly count: number;
  /** The stranger's part. */
  readonly send: (index: number) => void;
  /** What those who are there do after each batch, and see. */
  readonly live: (batch: number) => Promise<void> | void;
  /** `counters` whose growth in a step is watched. */
  readonly visits: string;
  readonly batch?: number;
}

export interface FloodReport {
  /** How many were looked at in the step that looked at most; a step is a batch of strangers, 200 if nothing else was said. */
  readonly mostVisited: number;
  /** From a fifth on. */
  readonly heapUsedBytes: number;
}

/** Strangers in batches, 25 ms apart. A million of them say how long the longest step took, by the wall. */
export async function flood(peer: RawPeer, what: string, { count, send, live, visits, batch = 200 }: FloodPlan): Promise<FloodReport> {
  const visited = (): number => peer.host.kernel.counters().find(({ name }) => name.endsWith(visits))?.value ?? 0;
  let [mostVisited, heapBytes] = [0, 0];
  const stepsMs: number[] = [];
  const stepsCpuMs: number[] = [];
  for (let i = 0, step = 0; i < count; i += batch, step++) {
    const [before, beganMs, cpu] = [visited(), performance.now(), process.cpuUsage()];
    for (let n = i; n < i + batch; n++) send(n);
    await peer.net.pass(25);
    stepsMs.push(performance.now() - beganMs);
    const { user, system } = process.cpuUsage(cpu);
    stepsCpuMs.push((user + system) / 1000);
    mostVisited = Math.max(mostVisited, visited() - before);
    peer.received.length = 0;
    await live(step);
    if (i <= count / 5) heapBytes = i + batch > count / 5 ? heapNow() : 0;
  }
  if (WHOLE) console.info(`${what}: ${count}; a step of ${batch}: ${textOf(stepsMs)} by the wall, ${textOf(stepsCpuMs)} of processor time`);
  return { mostVisited, heapUsedBytes: heapNow() - heapBytes };
}

/** The median, one in a hundred, the longest. */
function textOf(ms: number[]): string {
  ms.sort((a, b) => a - b);
  const at = (part: number): string => ms[Math.min(ms.length - 1, Math.floor(ms.length * part))]!.toFixed(1);
  return `${at(0.5)} ms, 1 % over ${at(0.99)}, the longest ${at(1)}`;
}

function heapNow(): number {
  globalThis.gc!();
  return process.memoryUsage().heapUsed;
}
