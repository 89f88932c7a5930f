import { ERRNO, MESSAGE_FLAG } from '@softnet/contract';
import type { Expression } from '../language/expression.ts';
import { pattern } from '../packets/build-packet.ts';
import type { CallContext, MadeCall } from './call-context.ts';
import { argument } from './call-context.ts';
import { numberOf } from './evaluate.ts';
import { LocalFile } from './local-files.ts';
import { ScriptFailure } from './script-failure.ts';
import type { Answer } from './system-calls.ts';

type Args = readonly Expression[];

/** A pipe holds so much. */
const PIPE_BYTES = 65_536;
/** What a file that a script opens has: nobody looks at what. */
const FILE_BYTES = 65_536;
/** No call moves more. */
const MOST_BYTES = 0x1000000;

/** Calls of pipes and files, and those that move bytes between them and sockets. */
export const FILE_CALLS: Readonly<Record<string, (context: CallContext, args: Args) => MadeCall>> = Object.freeze({
  pipe: (context, args) => {
    const ends = argument(args, 0, 'the list of two descriptors');
    if (ends.kind !== 'list' || ends.items.length !== 2) throw new ScriptFailure('pipe takes a list of two descriptors in brackets');
    const file = new LocalFile();
    for (const item of ends.items) context.files.open(numberOf(item), file);
    return { answer: 0 };
  },
  open: (context) => ({ answer: 0, names: (fd) => context.files.open(fd, new LocalFile(pattern(FILE_BYTES))) }),
  splice: (context, args) => ({ answer: spliced(context, context.fd(args[0]), context.fd(args[2]), lengthOf(args[4]), flagsOf(args[5])) }),
  sendfile: (context, args) => {
    const offset = argument(args, 2, 'the offset');
    const from = offset.kind === 'list' && offset.items[0] !== undefined ? numberOf(offset.items[0]) : 0;
    const file = context.files.get(context.fd(args[1]));
    if (file === null) return { answer: -ERRNO.EBADF };
    return { answer: sent(context, context.fd(args[0]), file.peek(lengthOf(args[3]), from), 0) };
  },
});

function lengthOf(expression: Expression | undefined): number {
  const lenBytes = expression === undefined ? -1 : numberOf(expression);
  if (lenBytes >= 0 && lenBytes <= MOST_BYTES) return lenBytes;
  throw new ScriptFailure(`a number of bytes is 0 to ${MOST_BYTES}, got ${lenBytes}`);
}

/** SPLICE_F_MORE is MSG_MORE, and SPLICE_F_NONBLOCK MSG_DONTWAIT. */
function flagsOf(expression: Expression | undefined): number {
  const flags = expression === undefined ? 0 : numberOf(expression);
  return ((flags & 4) !== 0 ? MESSAGE_FLAG.MORE : 0) | ((flags & 2) !== 0 ? MESSAGE_FLAG.DONTWAIT : 0);
}

function sent(context: CallContext, fd: number, data: Uint8Array, flags: number): Answer {
  return context.calls.send(context.live(fd), { data, address: null, flags, control: [] });
}

/** One end is a pipe. */
function spliced(context: CallContext, from: number, to: number, lenBytes: number, flags: number): Answer {
  const [source, target] = [context.files.get(from), context.files.get(to)];
  if ((source === null) === (target === null)) return -ERRNO.EINVAL;
  if (source !== null) {
    return then(sent(context, to, source.peek(lenBytes), flags), (count) => source.drop(count));
  }
  const message = { data: new Uint8Array(Math.min(lenBytes, PIPE_BYTES - target!.lenBytes)), address: null, flags, control: [] };
  return then(context.calls.receive(context.live(from), message), (count) => target!.push(message.data.slice(0, count)));
}

function then(answer: Answer, act: (count: number) => void): Answer {
  const done = (count: number): number => {
    if (count > 0) act(count);
    return count;
  };
  return typeof answer === 'number' ? done(answer) : answer.then(done);
}
