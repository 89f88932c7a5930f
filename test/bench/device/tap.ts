import type { Subject, Work } from '../work.ts';
import { SOFTNET } from '../work.ts';
import { fsReads, fsWrites, koffiReads, koffiWrites } from './tap-raw.ts';
import { TapRig, tapLack } from './tap-rig.ts';
import { softnetReceives, softnetSends } from './tap-softnet.ts';
import { tcpThrough } from './tap-tcp.ts';

const SIZES = [60, 1514] as const;
const NOTE =
  'c does the same in C; koffi and fs-callbacks are the bare calls in Node, no packets made of them. µs CPU is of the process, a frame; frames/s also depends on who sends them.';

async function peer(way: 'read' | 'write', lenBytes: number): Promise<Record<string, number>> {
  const rig = new TapRig();
  try {
    return await rig.measurePeer(way, lenBytes);
  } finally {
    rig.close();
  }
}

function work(name: string, summary: string, measures: Readonly<Record<string, Subject['measure']>>): Work {
  const lack = (): string | undefined => tapLack({ gcc: 'gcc libc6-dev' });
  const subjects = Object.entries(measures).map(([subject, measure]) => ({ name: subject, lack, measure }));
  return { name, summary, units: { 'frames/s': 'more', 'µs CPU': 'less' }, note: NOTE, subjects };
}

/** Frames over TAP each way, against C; and what bursts are worth. */
export function tapWorks(): Work[] {
  const each = SIZES.flatMap((lenBytes) => [
    work(`tap-receive-${lenBytes}`, `frames of ${lenBytes} bytes from Linux, through TAP`, {
      [SOFTNET]: () => softnetReceives(lenBytes),
      c: () => peer('read', lenBytes),
      koffi: () => koffiReads(lenBytes),
      'fs-callbacks': () => fsReads(lenBytes),
    }),
    work(`tap-send-${lenBytes}`, `frames of ${lenBytes} bytes to Linux, through TAP`, {
      [SOFTNET]: () => softnetSends(lenBytes),
      c: () => peer('write', lenBytes),
      koffi: () => koffiWrites(lenBytes),
      'fs-callbacks': () => fsWrites(lenBytes),
    }),
  ]);
  const lack = (): string | undefined => tapLack({ iperf3: 'iperf3', ping: 'iputils-ping' });
  const tcp: Work = {
    name: 'tap-tcp',
    summary: "Linux's TCP from tap to tap, softnet routes: bursts whole, or each segment for itself",
    units: { 'MB/s': 'more', 'µs CPU': 'less' },
    note: 'µs CPU is of the process, a MB.',
    subjects: [
      { name: SOFTNET, lack, measure: () => tcpThrough(true) },
      { name: 'no-offload', lack, measure: () => tcpThrough(false) },
    ],
  };
  return [...each, tcp];
}
