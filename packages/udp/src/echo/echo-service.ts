import type { Counter, Message, Notice, Owner, SockCommon, Sockets } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  clearControl,
  ERRNO,
  IP_OPTION,
  IPV6_OPTION,
  MESSAGE_FLAG,
  Message as Msg,
  NetError,
  SOCK_TYPE,
  SOL,
  SockAddress,
} from '@softnet/contract';
import { putInt } from '@softnet/inet';

const { INET, INET6 } = ADDRESS_FAMILY;
const { EADDRINUSE, EAGAIN, EBADF } = ERRNO;

/** What the service asks of its module. */
export interface EchoHost {
  readonly name: string;
  /** The door to sockets, as it is now. */
  readonly sockets: () => Sockets;
  readonly port: () => number;
  readonly echoed: Counter;
  /** It does not serve all that it could: call `openAgain` in a while. */
  readonly retry: () => void;
  /** No, it need not be. */
  readonly calm: () => void;
}

/**
 * Sends back what it gets (RFC 862). One dual-stack socket where there is IPv6, else one of IPv4. When UDP leaves, it lets
 * go at once, and comes back when there is a UDP again.
 */
export class EchoService implements Owner {
  readonly name: string;
  readonly #host: EchoHost;
  readonly #message = new Msg();
  #sock: SockCommon | null = null;
  #stopped = false;
  /** It had IPv6, and would have it again. */
  #hadIpv6 = false;

  constructor(host: EchoHost) {
    this.name = host.name;
    this.#host = host;
  }

  /** @throws NetError EADDRINUSE, and what no family can do: EPROTONOSUPPORT, EAFNOSUPPORT. */
  open(): void {
    if (this.#sock !== null) return;
    try {
      this.#serve(this.#bound(INET6));
      this.#hadIpv6 = true;
    } catch (error) {
      if (!(error instanceof NetError) || error.code === 'EADDRINUSE') throw error;
      this.#serve(this.#bound(INET));
    }
  }

  /** The same, for who has nobody to throw at: tries again later where it fails, or does without the IPv6 that it had. */
  openAgain(): void {
    if (this.#stopped) return;
    if (this.#sock !== null && this.#sock.family === INET) this.#close();
    try {
      this.open();
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
    }
    if (this.#sock === null || (this.#hadIpv6 && this.#sock.family === INET)) this.#host.retry();
  }

  /** Could it be opened? Opens nothing. @throws NetError as `open` does. */
  probe(): void {
    this.open();
    this.#close();
  }

  /** After `stop`, it is to serve all the same. */
  resume(): void {
    this.#stopped = false;
    this.openAgain();
  }

  /** Closes, until `resume`. */
  stop(): void {
    this.#stopped = true;
    this.#host.calm();
    this.#close();
  }

  notice({ sort, object }: Notice): void {
    if (sort === 'moved') this.#serve(object as SockCommon);
    // Leaving, or closed by force: whoever comes next is asked for another one.
    else if (object === this.#sock && sort !== 'back') {
      this.#close();
      this.openAgain();
    }
  }

  #serve(sock: SockCommon): void {
    this.#sock = sock;
    sock.wake = () => this.#echo(sock);
  }

  #close(): void {
    const sock = this.#sock;
    this.#sock = null;
    if (sock !== null) sock.ops.calls!.close(sock);
  }

  #bound(family: number): SockCommon {
    const { sockets, port } = this.#host;
    const sock = sockets().open(family, SOCK_TYPE.DGRAM, 0, this);
    const address = new SockAddress();
    address.family = family;
    address.port = port();
    const error = sock.ops.calls!.bind(sock, address);
    if (error === 0) {
      // Where it was spoken to, it answers from. What a layer does not know, it does without.
      const isIpv6 = family === INET6;
      sock.ops.calls!.setOption(
        sock,
        isIpv6 ? SOL.IPV6 : SOL.IP,
        isIpv6 ? IPV6_OPTION.RECVPKTINFO : IP_OPTION.PKTINFO,
        Uint8Array.of(1, 0, 0, 0),
      );
      return sock;
    }
    sock.ops.calls!.close(sock);
    throw refusal(error, address.port);
  }

  /** As packets, without a copy. What cannot be sent is lost, as UDP may. Ends, for what comes by a loopback comes later. */
  #echo(sock: SockCommon): void {
    const calls = sock.ops.calls!;
    const message = this.#message;
    while (this.#sock === sock) {
      message.flags = MESSAGE_FLAG.SKB;
      const received = calls.receive(sock, message);
      if (received === -EAGAIN || received === -EBADF) return;
      if (received < 0) continue;
      // Two echo services would never end.
      if (message.address.port !== sock.localPort && answer(sock, message) >= 0) this.#host.echoed.value++;
      giveBack(message);
    }
  }
}

/** From the address that was spoken to; of a group, or a broadcast address, from one of ours. */
function answer(sock: SockCommon, message: Message): number {
  const calls = sock.ops.calls!;
  const place = message.control;
  // The way back is the route's matter, unless the address is of a link.
  if (place !== null && message.address.ifindex === 0) putInt(place.data, place.level === SOL.IPV6 ? 16 : 0, 0);
  const sent = calls.send(sock, message);
  if (sent >= 0 || place === null || message.skb === null) return sent;
  clearControl(message);
  return calls.send(sock, message);
}

function giveBack(message: Message): void {
  const { skb } = message;
  message.skb = null;
  if (skb !== null) skb.memory.pool.release(skb);
}

function refusal(error: number, port: number): NetError {
  const code = error === -EADDRINUSE ? 'EADDRINUSE' : 'EAFNOSUPPORT';
  const sentence = `udp-echo cannot have port ${port} (errno ${-error}): choose another by net.udp_echo.port, or close who has it`;
  return new NetError(code, sentence, { syscall: 'bind' });
}
