import { ADDRESS_FAMILY, ERROR_ORIGIN, NetError } from '@softnet/contract';
import type { HeardError, PingerOptions, Pong } from '@softnet/testkit';
import { KernelTime, NetHost, Pinger } from '@softnet/testkit';
import { parseAddress } from '@softnet/wire';
import { anyNumber } from '../ip/ip-object.ts';
import type { Session } from '../session/session.ts';
import type { Given, SessionCommand } from '../session/session-command.ts';
import { icmpWords } from '../text/icmp-words.ts';
import { optionNumber } from '../text/option-number.ts';
import { PingTally, pingHead, pingSummary, rttText } from '../text/ping-lines.ts';
import type { ScopedAddress } from '../text/scoped-address.ts';
import { readAddress } from '../text/scoped-address.ts';
import { UsageError } from '../usage-error.ts';

/** Bytes behind the ICMP header: what fits into a datagram of IPv4. */
const MOST_BYTES = 65_507;
const LEAST_WAIT_MS = 1000;
/** Until it is known that a neighbour does not answer, and a little more: so long the last request waits, where nobody has answered any. */
const UNREACHABLE_MS = 4000;
/** Of -M, as IP_MTU_DISCOVER has them. */
const PATH_MTU: Readonly<Record<string, number>> = Object.freeze({ dont: 0, want: 1, do: 2, probe: 3 });
const ANSWERS: Readonly<Partial<Record<NetError['code'], string>>> = Object.freeze({
  EHOSTUNREACH: 'Destination Host Unreachable',
  ENETUNREACH: 'Destination Net Unreachable',
  ECONNREFUSED: 'Destination Port Unreachable',
  EACCES: 'Permission denied: a route or rule prohibits it, or it is a broadcast',
  EINVAL: 'Invalid argument: a blackhole takes it',
  EMSGSIZE: 'Message too long',
});

export const ping: SessionCommand = Object.freeze({
  name: 'ping',
  parameters: '<address>',
  options: [
    ['-c <count>', 'stop after so many requests; else Ctrl-C does'],
    ['-s <bytes>', `bytes behind the ICMP header, 0 to ${MOST_BYTES}; default 56`],
    ['-i <ms>', 'from one request to the next; default 1000'],
    ['-t <hops>', 'the requests live for so many: 1 to 255'],
    [
      '-M <way>',
      'do: they are not cut, nor sent where it is known that they do not fit; want; dont; probe',
      ['dont', 'want', 'do', 'probe'],
    ],
    ['-Q <tos>', 'type of service, 0 to 255'],
    ['-m <mark>', 'of the packets, for rules by fwmark'],
    ['-I <from>', 'by this device, or from this address'],
    ['-W <ms>', 'how long an answer is waited for'],
  ],
  summary: 'send echo requests to an address of either family, and show the answers',
  details: [
    'ping 10.0.2.2',
    'ping -c 3 -s 20000 -i 200 fd00:2::2',
    'ping fe80::1%eth0',
    'ping -M do -s 1472 10.0.2.2',
    'ping -m 5 -I 10.0.1.2 10.0.2.2',
  ],
  async run(session, given) {
    const host = new NetHost(session.kernel);
    const target = readAddress(given.words[0]!, host);
    const lenBytes = optionNumber('-s', given.options.s, 56, 0, MOST_BYTES);
    const count = optionNumber('-c', given.options.c, Number.POSITIVE_INFINITY, 1, 1_000_000);
    const everyMs = milliseconds('-i', given.options.i, 1000);
    const waitMs = given.options.W === undefined ? undefined : milliseconds('-W', given.options.W, 0);
    const pinger = new Pinger(session.kernel, target.family, { ...wishesOf(given), ...fromOf(given, host) });
    const started = session.kernel.clock.readUs();
    const tally = new PingTally();
    session.output.print(pingHead(target.text, target.family, lenBytes));
    try {
      await pingOn({ session, pinger, target, lenBytes, count, everyMs, waitMs, tally }, given);
    } finally {
      pinger.close();
      const tookMs = (session.kernel.clock.readUs() - started) / 1000;
      for (const line of pingSummary(target.text, tally, tookMs)) session.output.print(line);
    }
  },
} satisfies SessionCommand);

/** iputils counts seconds: who writes '0.2' is told. */
function milliseconds(flag: string, given: string | boolean | undefined, usual: number): number {
  const seconds = Number(given);
  if (/^\d*\.\d+$/.test(String(given)) && seconds > 0)
    throw new UsageError(`${flag} counts milliseconds here: ${given} s is ${flag} ${Math.ceil(seconds * 1000)}`);
  return optionNumber(`${flag} (in ms)`, given, usual, 1, 3_600_000);
}

/** -t, -M, -Q and -m, as far as they are given. */
function wishesOf({ options: { t, M, Q, m } }: Given): PingerOptions {
  const mtuDiscover = PATH_MTU[String(M)];
  if (M !== undefined && mtuDiscover === undefined) throw new UsageError(`-M takes ${Object.keys(PATH_MTU).join(', ')}, got '${M}'`);
  return {
    ...(t === undefined ? {} : { ttl: optionNumber('-t', t, 64, 1, 255) }),
    ...(mtuDiscover === undefined ? {} : { mtuDiscover }),
    ...(Q === undefined ? {} : { tos: optionNumber('-Q', Q, 0, 0, 255) }),
    ...(m === undefined ? {} : { mark: anyNumber(String(m), '-m') }),
  };
}

/** -I: a device's name, or an address. */
function fromOf({ options: { I } }: Given, host: NetHost): PingerOptions {
  if (I === undefined) return {};
  const text = String(I);
  if (parseAddress(text) !== null) return { from: text };
  return { device: host.device(text).name };
}

interface Pinging {
  readonly session: Session;
  readonly pinger: Pinger;
  readonly target: ScopedAddress;
  readonly lenBytes: number;
  readonly count: number;
  readonly everyMs: number;
  /** -W. */
  readonly waitMs: number | undefined;
  readonly tally: PingTally;
}

/** One request after another, until there were `count`, Ctrl-C, or the module of its socket leaves. */
async function pingOn(pinging: Pinging, { signal }: Given): Promise<void> {
  const { session, pinger, count, everyMs, tally } = pinging;
  const { kernel, output } = session;
  const called = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
  while (tally.sent < count && !signal.aborted) {
    const sentUs = kernel.clock.readUs();
    const line = await Promise.race([askOnce(pinging), called]);
    if (line !== undefined) output.print(line);
    if (pinger.ended !== null) throw pinger.ended;
    if (pinger.leaving) {
      output.print('the module of its socket is leaving: ping lets go');
      return;
    }
    const waitUs = sentUs + everyMs * 1000 - kernel.clock.readUs();
    if (tally.sent < count && waitUs > 0) await Promise.race([kernel.port(KernelTime).current.sleepUs(waitUs), called]);
  }
}

/** What became of one request, as a line. Rejects where no further one will fare better. */
async function askOnce({ pinger, target, lenBytes, count, everyMs, waitMs, tally }: Pinging): Promise<string> {
  const sequence = ++tally.sent;
  try {
    const isLastHope = sequence === count && tally.rttsUs.length === 0;
    const timeoutMs = waitMs ?? Math.max(everyMs, isLastHope ? UNREACHABLE_MS : LEAST_WAIT_MS);
    const pong = await pinger.ping(target.text, { lenBytes, timeoutMs, ifindex: target.ifindex });
    tally.rttsUs.push(pong.rttUs);
    return answerLine(pong, sequence);
  } catch (error) {
    if (!(error instanceof NetError) || pinger.ended !== null) throw error;
    if (error.code === 'ETIMEDOUT') return `no answer yet for icmp_seq=${sequence}`;
    tally.errors++;
    return errorLine(pinger.heard, target, sequence) ?? `icmp_seq=${sequence} ${ANSWERS[error.code] ?? error.message}`;
  }
}

/** Who says what, as iputils has it; undefined: nobody does. */
function errorLine(heard: HeardError | null, { family }: ScopedAddress, sequence: number): string | undefined {
  if (heard === null) return undefined;
  if (heard.origin === ERROR_ORIGIN.LOCAL && heard.type === 0) return `ping: local error: message too long, mtu=${heard.info}`;
  const words = icmpWords(heard, family === ADDRESS_FAMILY.INET ? 4 : 6);
  return words === undefined ? undefined : `From ${heard.offender} icmp_seq=${sequence} ${words}`;
}

/** ICMP's header counts, as with iputils. */
function answerLine({ address, lenBytes, rttUs }: Pong, sequence: number): string {
  return `${lenBytes + 8} bytes from ${address}: icmp_seq=${sequence} time=${rttText(rttUs)}`;
}
