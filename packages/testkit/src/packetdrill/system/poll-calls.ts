import type { EpollEvent } from '@softnet/posix';
import type { Expression, RecordField } from '../language/expression.ts';
import type { CallContext, MadeCall } from './call-context.ts';
import { argument } from './call-context.ts';
import { numberOf } from './evaluate.ts';
import { ScriptFailure } from './script-failure.ts';
import type { CallPoll } from './system-calls.ts';

type Args = readonly Expression[];

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
    const [operation, fd] = [numberOf(argument(args, 1, 'the operation')), context.fd(args[2])];
    const event = argument(args, 3, 'the event');
    const given = event.kind === 'record' ? eventOf(event, fd) : null;
    return { answer: context.calls.epollControl(context.live(context.fd(args[0])), operation, context.live(fd), given) };
  },
  epoll_wait: (context, args) => {
    const events: EpollEvent[] = [];
    const most = numberOf(argument(args, 2, 'how many events at most'));
    const answer = context.calls.epollWait(context.live(context.fd(args[0])), events, most, numberOf(argument(args, 3, 'the timeout')));
    const verify = (count: number) => {
      if (count > 0) checkEvents(events, argument(args, 1, 'the events'));
    };
    return { answer, verify };
  },
});

function created(context: CallContext): MadeCall {
  return { answer: context.calls.epollCreate(), opens: -1 };
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

function eventOf(expression: Expression, fd: number): EpollEvent {
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

function checkEvents(ready: readonly EpollEvent[], expression: Expression): void {
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
