import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ActingHost } from '../testing/acting-host.ts';
import type { MachineEnd } from '../testing/machine-pair.ts';
import { MachinePair } from '../testing/machine-pair.ts';
import { FLAG, outstanding } from './connection.ts';
import { TCP_STATE } from './state.ts';

const MINUTE = 60_000;
/** Trials of each kind; more with this variable, as with the storms of segments. */
const TRIALS = Math.ceil(Number(process.env.SOFTNET_TCP_SEGMENTS ?? 100_000) / 2500);

function chance(seed: number): (bound: number) => number {
  let random = seed | 1;
  return (bound) => {
    random = (Math.imul(random, 1664525) + 1013904223) | 0;
    return (random >>> 8) % bound;
  };
}

/** Two ends whose hosts fail, and whose users give, read, cork and change their minds in the middle of what is called. */
class Trial {
  readonly pair: MachinePair;
  readonly draw: (bound: number) => number;
  readonly left = new Map<MachineEnd, number>();

  constructor(seed: number, flags: number, lossPercent: number, failPercent: number) {
    const draw = chance(seed);
    this.draw = draw;
    const hosts = [new ActingHost(), new ActingHost()] as const;
    this.pair = new MachinePair({ flags, host: hosts[0] }, 0x7ffffff0, -10, hosts[1]);
    for (const end of [this.pair.a, this.pair.b]) {
      const host = end.host as ActingHost;
      this.left.set(end, draw(40_000));
      Object.assign(host, { draw, failPercent, fullPercent: failPercent >> 1, actPercent: 20, bufferBytes: 20_000 + draw(60_000) });
      host.act = () => this.act(end);
    }
    this.pair.fate = () => {
      if (draw(100) < lossPercent) return [];
      return draw(20) === 0 ? [5 + draw(40), 5 + draw(200)] : [5 + draw(40)];
    };
  }

  act(end: MachineEnd): void {
    const { conn, machine } = end;
    const left = this.left.get(end)!;
    if ((conn.flags & (FLAG.OVER | FLAG.FIN_QUEUED)) !== 0) return;
    const what = this.draw(8);
    if (what === 0) end.read();
    else if (what === 1) {
      conn.mssBytes = [100, 512, 1012][this.draw(3)]!;
      machine.segmentSizeChanged(conn, this.draw(2) === 0);
    } else if (what === 2) {
      conn.flags ^= [FLAG.CORK, FLAG.NO_DELAY][this.draw(2)]!;
      machine.push(conn);
    } else if (left > 0) this.write(end, Math.min(left, 1 + this.draw(3000)));
  }

  write(end: MachineEnd, bytes: number): void {
    const { conn } = end;
    this.left.set(end, this.left.get(end)! - bytes);
    conn.flags = this.draw(3) === 0 ? conn.flags | FLAG.MORE : conn.flags & ~FLAG.MORE;
    end.write(bytes);
  }

  /** All is bad for some time, and nobody reads; then both have given all they have, and are asked for nothing but time. @returns what did not arrive. */
  run(): string {
    const { pair } = this;
    for (const end of [pair.a, pair.b]) this.act(end);
    pair.run(pair.nowMs + 2000, false);
    for (const end of [pair.a, pair.b]) while (this.left.get(end)! > 0) this.write(end, Math.min(this.left.get(end)!, 5000));
    pair.run(pair.nowMs + MINUTE);
    pair.fate = () => [10];
    for (const end of [pair.a, pair.b]) Object.assign(end.host, { failPercent: 0, fullPercent: 0, actPercent: 0 });
    // Three timeouts at most: what is corked, and what waits for a window, goes too.
    pair.run(pair.nowMs + 6 * MINUTE);
    const faults = [];
    for (const [from, to] of [[pair.a, pair.b] as const, [pair.b, pair.a] as const]) {
      const missing = (from.conn.writeSeq - to.host.deliveredSeq) | 0;
      if (missing !== 0) faults.push(`${missing} octets are missing`);
      if (outstanding(from.conn) !== 0) faults.push(`${outstanding(from.conn)} octets are outstanding`);
      if (from.conn.sentFirst !== null || from.conn.scoreboard !== null || from.host.kept !== 0) faults.push('records are left');
    }
    for (const end of [pair.a, pair.b]) end.machine.close(end.conn);
    pair.run(pair.nowMs + 6 * MINUTE);
    const ends = [pair.a, pair.b].map(({ host }) => (host.ended === null ? 'none' : host.ended.state));
    if (!ends.includes(TCP_STATE.TIME_WAIT)) faults.push(`they end as ${ends.join(', ')}`);
    return faults.join('; ');
  }
}

describe('two machines in a bad world', () => {
  test.each([
    ['SACK and timestamps', FLAG.SACK | FLAG.TIMESTAMPS],
    ['timestamps', FLAG.TIMESTAMPS],
    ['SACK', FLAG.SACK],
    ['neither', 0],
  ])('whatever fails below, and whenever users act, all octets arrive and both ends close: with %s', (_, flags) => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(0, 5, 20), fc.constantFrom(0, 10, 50), (seed, lossPercent, failPercent) => {
        expect(`${seed}: ${new Trial(seed, flags, lossPercent, failPercent).run()}`).toBe(`${seed}: `);
      }),
      { numRuns: TRIALS },
    );
  });
});
