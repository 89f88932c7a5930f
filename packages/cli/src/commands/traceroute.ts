import { ADDRESS_FAMILY } from '@softnet/contract';
import type { TraceAnswer } from '@softnet/testkit';
import { NetHost, Tracer } from '@softnet/testkit';
import type { Session } from '../session/session.ts';
import type { SessionCommand } from '../session/session-command.ts';
import { traceMark } from '../text/icmp-words.ts';
import { optionNumber } from '../text/option-number.ts';
import { rttText } from '../text/ping-lines.ts';
import type { ScopedAddress } from '../text/scoped-address.ts';
import { readAddress } from '../text/scoped-address.ts';

/** Bytes behind the UDP or ICMP header; with both headers 60 over IPv4, as ever. */
const PROBE_BYTES = 32;

export const traceroute: SessionCommand = Object.freeze({
  name: 'traceroute',
  parameters: '<address>',
  options: [
    ['-n', 'addresses, as always here'],
    ['-I', 'by echo requests; else by datagrams to ports that nobody has'],
    ['-m <hops>', 'at most so many; default 30'],
    ['-q <probes>', 'for each hop; default 3'],
    ['-w <ms>', 'wait so long for each; default 1000'],
  ],
  summary: 'show the routers on the way to an address of either family',
  details: [
    'traceroute 10.0.2.2',
    'traceroute -I -q 1 fd00:2::2',
    '!H, !N, !X: who says that the host, the net is not to be reached, or may not be.',
  ],
  async run(session, { words, options, signal }) {
    const target = readAddress(words[0]!, new NetHost(session.kernel));
    const most = optionNumber('-m', options.m, 30, 1, 255);
    const probes = optionNumber('-q', options.q, 3, 1, 10);
    const waitMs = optionNumber('-w (in ms)', options.w, 1000, 1, 60_000);
    const tracer = new Tracer(session.kernel, { family: target.family, echo: options.I === true, lenBytes: PROBE_BYTES });
    const called = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
    const packetBytes = (target.family === ADDRESS_FAMILY.INET ? 28 : 48) + PROBE_BYTES;
    session.output.print(`traceroute to ${target.text} (${target.text}), ${most} hops max, ${packetBytes} byte packets`);
    try {
      for (let hop = 1, isOver = false; hop <= most && !isOver && !signal.aborted; hop++) {
        isOver = await traceHop({ session, tracer, target, probes, waitMs, called }, hop);
      }
    } finally {
      tracer.close();
    }
  },
} satisfies SessionCommand);

interface Tracing {
  readonly session: Session;
  readonly tracer: Tracer;
  readonly target: ScopedAddress;
  readonly probes: number;
  readonly waitMs: number;
  /** Ctrl-C. */
  readonly called: Promise<undefined>;
}

/** Prints a line. True: it goes no further. */
async function traceHop({ session, tracer, target, probes, waitMs, called }: Tracing, hop: number): Promise<boolean> {
  let line = String(hop).padStart(2);
  let last = '';
  let isOver = false;
  for (let i = 0; i < probes; i++) {
    const answer = await Promise.race([tracer.probe(target.text, hop, waitMs, target.ifindex), called]);
    if (answer === undefined) return true;
    line += answer === null ? ' *' : answerText(answer, last, target.family);
    if (answer === null) continue;
    last = answer.address;
    if (isEnd(answer, target.family)) isOver = true;
  }
  session.output.print(line);
  return isOver;
}

/** Who answered, unless it was he before, and how long it took. */
function answerText({ address, rttUs, error }: TraceAnswer, last: string, family: number): string {
  const who = address === last ? '' : `  ${address}`;
  const mark = error === null ? '' : traceMark(error, family === ADDRESS_FAMILY.INET ? 4 : 6);
  return `${who}  ${rttText(rttUs)}${mark}`;
}

/** All but that a probe has died on its way. */
function isEnd({ error }: TraceAnswer, family: number): boolean {
  return error === null || error.type !== (family === ADDRESS_FAMILY.INET ? 11 : 3);
}
