import type { SockAddress } from '@softnet/contract';
import { IP_PROTOCOL } from '@softnet/contract';
import type { Expression, RecordField } from '../language/expression.ts';
import { pattern } from '../packets/build-packet.ts';
import { addressOf, checkAddress, checkAddressLength, usualRemote } from './addresses.ts';
import type { CallContext, MadeCall } from './call-context.ts';
import { argument } from './call-context.ts';
import { checkControl, readControl } from './control-messages.ts';
import { evaluate, numberOf } from './evaluate.ts';
import { ScriptFailure } from './script-failure.ts';
import type { CallMessage } from './system-calls.ts';

type Args = readonly Expression[];

/** Calls that move bytes. */
export const MESSAGE_CALLS: Readonly<Record<string, (context: CallContext, args: Args) => MadeCall>> = Object.freeze({
  write: (context, args) => sent(context, args, bytesOf(args[1], args[2]), 0, null),
  send: (context, args) => sent(context, args, bytesOf(args[1], args[2]), flagsOf(args[3]), null),
  sendto: (context, args) => {
    const address = args[4] === undefined || isNull(args[4]) ? null : addressOf(args[4], usualRemote(context.config));
    return sent(context, args, bytesOf(args[1], args[2]), flagsOf(args[3]), address);
  },
  writev: (context, args) => sent(context, args, gathered(argument(args, 1, 'the iov')), 0, null),
  sendmsg: (context, args) => {
    const fields = fieldsOf(argument(args, 1, 'the msghdr'));
    const name = fields.get('msg_name')?.value;
    const address = name === undefined ? null : addressOf(name, usualRemote(context.config));
    const data = gathered(fields.get('msg_iov')?.value ?? { kind: 'list', items: [] });
    const control = readControl(fields.get('msg_control')?.value);
    return sent(context, args, data, flagsOf(args[2]), address, control);
  },
  read: (context, args) => received(context, args, roomOf(args[2]), 0, args[1]),
  recv: (context, args) => received(context, args, roomOf(args[2]), flagsOf(args[3]), args[1]),
  recvfrom: (context, args) => {
    const message = messageOf(roomOf(args[2]), flagsOf(args[3]));
    return receivedInto(context, args, message, (answer) => {
      checkData(message, answer, args[1]);
      checkAddress(message.address, args[4], 'the sender');
      checkAddressLength(message.address, args[5]);
    });
  },
  readv: (context, args) => received(context, args, roomIn(argument(args, 1, 'the iov')), 0, undefined),
  recvmsg: (context, args) => {
    const fields = fieldsOf(argument(args, 1, 'the msghdr'));
    const message = messageOf(roomIn(fields.get('msg_iov')?.value ?? { kind: 'list', items: [] }), flagsOf(args[2]));
    return receivedInto(context, args, message, () => checkMessage(message, fields, context));
  },
});

function sent(
  context: CallContext,
  args: Args,
  data: Uint8Array,
  flags: number,
  address: SockAddress | null,
  control: CallMessage['control'] = [],
): MadeCall {
  const fd = context.fd(args[0]);
  const answer = context.calls.send(context.live(fd), { data, address, flags, control });
  // Of a stream others than who spoke last may be heard next.
  const isDatagram = context.protocol(fd) !== IP_PROTOCOL.TCP;
  if (isDatagram && (typeof answer !== 'number' || answer >= 0)) context.touch(fd, address);
  return { answer };
}

function received(context: CallContext, args: Args, room: number, flags: number, data: Expression | undefined): MadeCall {
  const message = messageOf(room, flags);
  return receivedInto(context, args, message, (answer) => checkData(message, answer, data));
}

function receivedInto(context: CallContext, args: Args, message: CallMessage, verify: (answer: number) => void): MadeCall {
  const answer = context.calls.receive(context.live(context.fd(args[0])), message);
  return { answer, verify };
}

function messageOf(room: number, flags: number): CallMessage {
  return { data: new Uint8Array(room), address: null, flags, control: [] };
}

function flagsOf(expression: Expression | undefined): number {
  return expression === undefined ? 0 : numberOf(expression);
}

function roomOf(expression: Expression | undefined): number {
  if (expression === undefined) throw new ScriptFailure('the number of bytes is missing');
  const room = numberOf(expression);
  if (room >= 0 && room <= 0x1000000) return room;
  throw new ScriptFailure(`a number of bytes is 0 to ${0x1000000}, got ${room}`);
}

/** `...`: bytes by their place; text: itself, cut or filled with zeros. */
function bytesOf(data: Expression | undefined, length: Expression | undefined): Uint8Array {
  const lenBytes = roomOf(length);
  if (data === undefined || data.kind === 'ellipsis') return pattern(lenBytes);
  const text = evaluate(data);
  if (typeof text !== 'string') throw new ScriptFailure("what is sent is '...' or a string");
  return Uint8Array.from({ length: lenBytes }, (_, i) => (i < text.length ? text.charCodeAt(i) : 0));
}

function isNull(expression: Expression): boolean {
  return expression.kind === 'name' && expression.name === 'NULL';
}

/** `[{..., 100}, {"abc", 3}]`. */
function iovOf(expression: Expression): readonly (readonly [Expression, Expression])[] {
  const items = expression.kind === 'list' ? expression.items : [];
  return items.map((item) => {
    const fields = item.kind === 'record' ? item.fields : [];
    if (fields.length !== 2) throw new ScriptFailure("an iov is a list of '{data, length}'");
    return [fields[0]!.value, fields[1]!.value];
  });
}

function gathered(expression: Expression): Uint8Array {
  return Uint8Array.from(iovOf(expression).flatMap(([data, length]) => [...bytesOf(data, length)]));
}

function roomIn(expression: Expression): number {
  return iovOf(expression).reduce((sum, [, length]) => sum + roomOf(length), 0);
}

function fieldsOf(expression: Expression): ReadonlyMap<string, RecordField> {
  if (expression.kind !== 'record') throw new ScriptFailure('a struct msghdr in braces is expected');
  return new Map(expression.fields.map((field) => [field.name ?? '', field]));
}

function checkData({ data }: CallMessage, answer: number, expected: Expression | undefined): void {
  if (expected === undefined || expected.kind !== 'string') return;
  const text = String.fromCharCode(...data.subarray(0, answer));
  if (text !== expected.value) throw new ScriptFailure(`the data are ${JSON.stringify(text)}, not ${JSON.stringify(expected.value)}`);
}

function checkMessage(message: CallMessage, fields: ReadonlyMap<string, RecordField>, context: CallContext): void {
  checkAddress(message.address, fields.get('msg_name')?.value, 'msg_name');
  const flags = fields.get('msg_flags')?.value;
  if (flags !== undefined && flags.kind !== 'ellipsis' && message.flags !== numberOf(flags)) {
    throw new ScriptFailure(`msg_flags are 0x${message.flags.toString(16)}, not 0x${numberOf(flags).toString(16)}`);
  }
  checkControl(message.control, fields.get('msg_control')?.value, context);
}
