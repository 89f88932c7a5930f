import { ERRNO, IP_PROTOCOL, SOCK_TYPE, SockAddress } from '@softnet/contract';
import type { Expression } from '../language/expression.ts';
import { addressOf, checkAddress, checkAddressLength, usualLocal, usualRemote } from './addresses.ts';
import type { CallContext, MadeCall } from './call-context.ts';
import { argument } from './call-context.ts';
import { numberOf } from './evaluate.ts';

type Args = readonly Expression[];

/** Calls that make, name and end sockets. */
export const SOCKET_CALLS: Readonly<Record<string, (context: CallContext, args: Args) => MadeCall>> = Object.freeze({
  socket: (context, args) => {
    const domain = argument(args, 0, 'the domain');
    const type = numberOf(argument(args, 1, 'the type'));
    const given = numberOf(argument(args, 2, 'the protocol'));
    const protocol =
      given !== 0 ? given : (type & 0xf) === SOCK_TYPE.STREAM ? IP_PROTOCOL.TCP : (type & 0xf) === SOCK_TYPE.DGRAM ? IP_PROTOCOL.UDP : 0;
    return {
      answer: context.calls.socket(domain.kind === 'ellipsis' ? context.config.domain : numberOf(domain), type, given),
      opens: protocol,
    };
  },
  bind: (context, args) => {
    const fd = context.fd(args[0]);
    const answer = context.calls.bind(context.live(fd), addressOf(argument(args, 1, 'the address'), usualLocal(context.config)));
    if (answer === 0) context.touch(fd, null);
    return { answer };
  },
  connect: (context, args) => {
    const fd = context.fd(args[0]);
    const remote = addressOf(argument(args, 1, 'the address'), usualRemote(context.config));
    const answer = context.calls.connect(context.live(fd), remote);
    if (remote.family !== 0) context.touch(fd, remote);
    if (answer === 0 || answer === -ERRNO.EINPROGRESS) context.flows.opens(context.live(fd));
    return { answer };
  },
  listen: (context, args) => {
    const fd = context.fd(args[0]);
    const answer = context.calls.listen(context.live(fd), numberOf(argument(args, 1, 'the backlog')));
    const local = new SockAddress();
    if (answer === 0 && context.calls.nameOf(context.live(fd), false, local) === 0) context.flows.listens(local.port);
    return { answer };
  },
  accept: (context, args) => accepted(context, args, 0),
  accept4: (context, args) => accepted(context, args, numberOf(argument(args, 3, 'the flags'))),
  close: (context, args) => {
    const fd = context.fd(args[0]);
    if (context.files.get(fd) !== null) return { answer: context.files.close(fd) };
    context.flows.closed(context.live(fd));
    const answer = context.calls.close(context.live(fd));
    if (typeof answer !== 'number' || answer === 0) context.forget(fd);
    return { answer };
  },
  shutdown: (context, args) => ({ answer: context.calls.shutdown(context.live(context.fd(args[0])), numberOf(argument(args, 1, 'how'))) }),
  getsockname: (context, args) => named(context, args, false),
  getpeername: (context, args) => named(context, args, true),
  fcntl: (context, args) => {
    const [command, value] = [numberOf(argument(args, 1, 'the command')), args[2] === undefined ? 0 : numberOf(args[2])];
    return { answer: context.calls.fcntl(context.live(context.fd(args[0])), command, value) };
  },
});

function accepted(context: CallContext, args: Args, flags: number): MadeCall {
  const fd = context.fd(args[0]);
  const answer = context.calls.accept(context.live(fd), flags);
  const verify = (live: number) => {
    const peer = new SockAddress();
    context.calls.nameOf(live, true, peer);
    checkAddress(peer, args[1], 'the peer');
    checkAddressLength(peer, args[2]);
    const local = new SockAddress();
    if (context.calls.nameOf(live, false, local) === 0) context.flows.touched(live, context.protocol(fd), local, peer);
  };
  return { answer, opens: context.protocol(fd), verify };
}

function named(context: CallContext, args: Args, peer: boolean): MadeCall {
  const address = new SockAddress();
  const answer = context.calls.nameOf(context.live(context.fd(args[0])), peer, address);
  return {
    answer,
    verify: () => {
      checkAddress(address, args[1], 'the address');
      checkAddressLength(address, args[2]);
    },
  };
}
