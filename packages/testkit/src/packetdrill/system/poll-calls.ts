import type { Expression, RecordField } from '../language/expression.ts';
import type { CallContext, MadeCall } from './call-context.ts';
import { argument } from './call-context.ts';
import { numberOf } from './evaluate.ts';
import { ScriptFailure } from './script-failure.ts';
import type { CallPoll } from './system-calls.ts';

type Args = readonly Expression[];
const CTL = Object.freeze({ ADD: 1, DEL: 2, MOD: 3 });

/** Calls that wait for several descriptors. */
export const POLL_CALLS: Readonly<Record<string, (context: CallContext, args: Args) => MadeCall>> = Object.freeze({
  poll: (context, args) => {
    const list = argument(args, 0, 'the list of pollfds');
    if (list.kind !== 'list') throw new ScriptFailure('poll takes a list of pollfds in brackets');
    const wanted = list.items.map((item) => fieldsOf(item));
    const fds = wanted.map((fields) => ({ fd: context.live(field(fields, 'fd')), events: field(fields, 'events'), revents: 0 }));
    const answer = context.calls.poll(fds, numberOf(argument(args, 2, 'the timeout')));
    return { answer, verify: () => checkPolls(fds, wanted) };
  },
  epoll_create: (context) => created(context),
  epoll_create1: (context) => created(context),
  epoll_ctl: (context, args) => {
    const set = context.epolls.get(context.live(context.fd(args[0])));
    if (set === undefined) return { answer: -9 };
    const [operation, fd] = [numberOf(argument(args, 1, 'the operation')), context.fd(args[2])];
    if (operation === CTL.ADD && set.has(fd)) return { answer: -17 };
    if (operation !== CTL.ADD && !set.has(fd)) return { answer: -2 };
    if (operation === CTL.DEL) set.delete(fd);
    else set.set(fd, eventOf(argument(args, 3, 'the event'), fd));
    return { answer: 0 };
  },
  epoll_wait: (context, args) => {
    const set = context.epolls.get(context.live(context.fd(args[0])));
    if (set === undefined) return { answer: -9 };
    const entries = [...set];
    const fds = entries.map(([fd, { events }]) => ({ fd: context.live(fd), events, revents: 0 }));
    const answer = context.calls.poll(fds, numberOf(argument(args, 3, 'the timeout')));
    const ready = () => entries.flatMap(([, { data }], i) => (fds[i]!.revents === 0 ? [] : [{ events: fds[i]!.revents, data }]));
    return {
      answer,
      verify: (count) => {
        if (count > 0) checkEvents(ready(), argument(args, 1, 'the events'));
      },
    };
  },
});

/** epoll's descriptors are the script's own: it is a poll that remembers. */
function created(context: CallContext): MadeCall {
  let fd = 1000;
  while (context.epolls.has(fd)) fd++;
  context.epolls.set(fd, new Map());
  return { answer: fd, opens: -1 };
}

function fieldsOf(expression: Expression): ReadonlyMap<string, RecordField> {
  if (expression.kind !== 'record') throw new ScriptFailure('a struct in braces is expected');
  return new Map(expression.fields.map((each) => [each.name ?? '', each]));
}

function field(fields: ReadonlyMap<string, RecordField>, name: string): number {
  const found = fields.get(name);
  if (found === undefined) throw new ScriptFailure(`the field '${name}' is missing`);
  return numberOf(found.value);
}

function eventOf(expression: Expression, fd: number): { events: number; data: number } {
  const fields = fieldsOf(expression);
  const data = ['fd', 'ptr', 'u32', 'u64', 'data'].find((name) => fields.has(name));
  return { events: field(fields, 'events'), data: data === undefined ? fd : field(fields, data) };
}

function checkPolls(fds: readonly CallPoll[], wanted: readonly ReadonlyMap<string, RecordField>[]): void {
  for (const [index, { revents }] of fds.entries()) {
    if (wanted[index]!.get('revents')?.value.kind === 'ellipsis') continue;
    const expected = wanted[index]!.has('revents') ? field(wanted[index]!, 'revents') : 0;
    if (revents !== expected)
      throw new ScriptFailure(`revents of pollfd ${index + 1} are 0x${revents.toString(16)}, not 0x${expected.toString(16)}`);
  }
}

function checkEvents(ready: readonly { events: number; data: number }[], expression: Expression): void {
  if (expression.kind === 'ellipsis') return;
  const items = expression.kind === 'list' ? expression.items : [expression];
  for (const [index, item] of items.entries()) {
    const is = ready[index];
    const { events, data } = eventOf(item, is?.data ?? 0);
    if (is === undefined) throw new ScriptFailure(`event ${index + 1} is missing`);
    if (is.events !== events || is.data !== data) {
      throw new ScriptFailure(`event ${index + 1} is 0x${is.events.toString(16)} of ${is.data}, not 0x${events.toString(16)} of ${data}`);
    }
  }
}
