import type { Plain } from '@softnet/contract';
import type { Connection } from '../machine/connection.ts';
import type { PlainRecord } from '../machine/plain-fields.ts';
import { fillFields, plainFields } from '../machine/plain-fields.ts';
import { Scoreboard } from '../machine/scoreboard.ts';
import { SentRun } from '../machine/sent-runs.ts';

/** What a connection has in flight: runs of octets with their times, and what the peer has said of them. */
export function freezeFlight({ sentFirst, scoreboard }: Connection): PlainRecord {
  const runs: number[] = [];
  const pushedEnds: number[] = [];
  for (let run = sentFirst; run !== null; run = run.next) {
    runs.push(run.seq, run.end, run.sentUs, run.retransmissions);
    if (run.isPushed) pushedEnds.push(run.end);
  }
  return { runs, pushedEnds, scoreboard: freezeScoreboard(scoreboard) };
}

export function thawFlight(conn: Connection, { runs, pushedEnds, scoreboard }: PlainRecord): void {
  const numbers = runs as readonly number[];
  const pushed = new Set((pushedEnds ?? []) as readonly number[]);
  for (let i = 0; i + 3 < numbers.length; i += 4) {
    const run = new SentRun();
    run.seq = numbers[i]!;
    run.end = numbers[i + 1]!;
    run.sentUs = numbers[i + 2]!;
    run.retransmissions = numbers[i + 3]!;
    run.isPushed = pushed.has(run.end);
    if (conn.sentLast === null) conn.sentFirst = run;
    else conn.sentLast.next = run;
    conn.sentLast = run;
  }
  if (scoreboard != null) conn.scoreboard = thawScoreboard(scoreboard as PlainRecord);
}

function freezeScoreboard(scoreboard: Scoreboard | null): Plain {
  if (scoreboard === null) return null;
  const { sacked } = scoreboard;
  const edges: number[] = [];
  for (let i = 0; i < sacked.count; i++) edges.push(sacked.left[i]!, sacked.right[i]!);
  return { ...plainFields(scoreboard), edges };
}

function thawScoreboard({ edges, ...fields }: PlainRecord): Scoreboard {
  const scoreboard = new Scoreboard();
  fillFields(scoreboard, fields);
  const numbers = edges as readonly number[];
  for (let i = 0; i + 1 < numbers.length; i += 2) scoreboard.sacked.add(numbers[i]!, numbers[i + 1]!);
  return scoreboard;
}
