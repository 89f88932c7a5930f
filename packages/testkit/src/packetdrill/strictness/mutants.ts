import type { Expression } from '../language/expression.ts';
import type { PacketSpec } from '../language/packet-spec.ts';
import type { EventTime, Script, ScriptEvent, SyscallSpec } from '../language/script.ts';
import { expressionChanges } from './expression-changes.ts';
import type { Change, Mutant } from './mutant.ts';
import { withEvent, within } from './mutant.ts';
import { packetChanges } from './packet-changes.ts';

/** Which arguments of calls say what is given back; of structs, which fields. */
const GIVEN_BACK: Readonly<Record<string, readonly (readonly [index: number, fields?: readonly string[]])[]>> = Object.freeze({
  getsockopt: [[3], [4]],
  getsockname: [[1], [2]],
  getpeername: [[1], [2]],
  accept: [[1], [2]],
  recvfrom: [[4], [5]],
  recv: [[1]],
  read: [[1]],
  recvmsg: [[1, ['msg_name', 'msg_flags', 'msg_control']]],
  poll: [[0, ['revents']]],
  epoll_wait: [[1]],
  ioctl: [[2]],
});

/** All mutants of a script: of what it expects, and of what it does. @param laterUs more than the tolerance. */
export function mutantsOf(script: Script, laterUs: number): Mutant[] {
  return script.events.flatMap((event, index) => {
    const mutant =
      (isExpectation: boolean) =>
      ({ what, value }: Change<ScriptEvent>): Mutant => ({
        script: withEvent(script, index, value),
        line: event.at.line,
        what,
        isExpectation,
      });
    const isOut = event.body.kind === 'packet' && event.body.packet.direction === 'out';
    const [expected, done] = bodyChanges(event);
    const times = timeChanges(event, laterUs);
    return [...[...expected, ...untilChanges(event, laterUs)].map(mutant(true)), ...done.map(mutant(false)), ...times.map(mutant(isOut))];
  });
}

function timeChanges(event: ScriptEvent, laterUs: number): Change<ScriptEvent>[] {
  const { time } = event;
  if (time.kind === 'any') return [];
  const to = (startUs: number, endUs: number | null): EventTime => ({ ...time, startUs, endUs });
  const later = {
    what: `${laterUs} µs later`,
    value: { ...event, time: to(time.startUs + laterUs, time.endUs === null ? null : time.endUs + laterUs) },
  };
  if (event.untilUs !== null) return [];
  if (time.startUs < laterUs || time.endUs !== null) return [later];
  return [later, { what: `${laterUs} µs earlier`, value: { ...event, time: to(time.startUs - laterUs, null) } }];
}

function untilChanges(event: ScriptEvent, laterUs: number): Change<ScriptEvent>[] {
  const { untilUs, time } = event;
  if (untilUs === null) return [];
  const changes = [{ what: 'returns later', value: { ...event, untilUs: untilUs + laterUs } }];
  if (untilUs - laterUs > time.startUs) changes.push({ what: 'returns earlier', value: { ...event, untilUs: untilUs - laterUs } });
  return changes;
}

/** Of what is expected, and of what is done. */
function bodyChanges(event: ScriptEvent): [Change<ScriptEvent>[], Change<ScriptEvent>[]] {
  const { body } = event;
  if (body.kind === 'packet') {
    const changes = within(packetChanges(body.packet), (packet): ScriptEvent => ({ ...event, body: { kind: 'packet', packet } }));
    if (body.packet.direction === 'in') return [[], changes];
    return [changes.filter((change) => !renames(body.packet, change.what)), changes.filter((change) => renames(body.packet, change.what))];
  }
  if (body.kind !== 'syscall') return [[], []];
  const put = (call: SyscallSpec): ScriptEvent => ({ ...event, body: { kind: 'syscall', call } });
  const [given, taken] = argumentChanges(body.call);
  return [within([...resultChanges(body.call), ...given], put), within(taken, put)];
}

/** The number of a SYN is only a name for it, from which the others count. */
function renames({ upper }: PacketSpec, what: string): boolean {
  return upper.kind === 'tcp' && upper.flags.includes('S') && what === 'the sequence number';
}

/** A descriptor that a call gives is only a name for it. */
function resultChanges(call: SyscallSpec): Change<SyscallSpec>[] {
  if (call.result.kind === 'ellipsis') return [];
  const opens = ['socket', 'accept', 'accept4', 'epoll_create', 'epoll_create1'].includes(call.name) && call.errno === null;
  const results = opens ? [] : within(expressionChanges(call.result), (result) => ({ ...call, result }));
  if (call.errno === null) return results;
  const errno = call.errno === 'EIO' ? 'ENXIO' : 'EIO';
  return [...results, { what: `${call.errno} → ${errno}`, value: { ...call, errno } }];
}

function argumentChanges(call: SyscallSpec): [Change<SyscallSpec>[], Change<SyscallSpec>[]] {
  const put =
    (index: number) =>
    (value: Expression): SyscallSpec => ({ ...call, args: call.args.with(index, value) });
  // What a call that fails would have given is not looked at.
  const back = call.errno === null && !isZero(call) && !isFionbio(call) ? (GIVEN_BACK[call.name] ?? []) : [];
  const given = back.flatMap(([index, only]) => {
    const argument = call.args[index];
    return argument === undefined ? [] : within(expressionChanges(argument, only), put(index));
  });
  const taken = call.args.flatMap((argument, index) =>
    GIVEN_BACK[call.name]?.some(([each]) => each === index) ? [] : within(expressionChanges(argument), put(index)),
  );
  return [given, taken];
}

/** Of ioctl the one that takes its value. */
function isFionbio({ args }: SyscallSpec): boolean {
  return args[1]?.kind === 'name' && args[1].name === 'FIONBIO';
}

/** epoll_wait that times out gives no event; poll does give revents. */
function isZero({ name, result }: SyscallSpec): boolean {
  return name === 'epoll_wait' && result.kind === 'number' && result.value === 0;
}
