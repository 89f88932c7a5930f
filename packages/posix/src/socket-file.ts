import type { FaceHost, SockCommon, SocketCalls } from '@softnet/contract';
import { SOCK_TYPE } from '@softnet/contract';
import { OpenFile } from './open-file.ts';
import { keysOf, POLL_ANY, withKin } from './poll-bits.ts';

/** No timer waits for longer. */
const MAX_WAIT_US = 2 ** 48;

/** A socket as a file. */
export class SocketFile extends OpenFile {
  /** Another one, once its module was replaced. */
  sock: SockCommon;

  constructor(sock: SockCommon) {
    super();
    this.sock = sock;
    this.adopt(sock);
  }

  /** Never null: sockets that users open have calls. */
  get calls(): SocketCalls {
    return this.sock.ops.calls!;
  }

  /** Messages have no bounds: what is taken or given in parts is one. */
  get isByteStream(): boolean {
    return this.sock.ops.type === SOCK_TYPE.STREAM;
  }

  /** It has connections. */
  get isStream(): boolean {
    const { type } = this.sock.ops;
    return type === SOCK_TYPE.STREAM || type === SOCK_TYPE.SEQPACKET || type === SOCK_TYPE.DCCP;
  }

  /** Stands for this socket from now on. */
  adopt(sock: SockCommon): void {
    this.sock = sock;
    sock.user = this;
    sock.wake = (_sock, bits) => void this.changed(bits === undefined ? POLL_ANY : keysOf(bits));
  }

  poll(): number {
    return withKin(this.calls.poll(this.sock), this.isStream);
  }

  /**
   * What `close` waits for, once it is closed: until the peer has all that was sent, or for as long as SO_LINGER says. It resolves with 0, whichever comes first. Null: for nothing.
   */
  lingering(host: FaceHost): Promise<number> | null {
    const { sock, calls } = this;
    const isLeft = (): boolean => calls.queuedBytes(sock, true) > 0;
    if (!this.#lingers || !isLeft()) {
      sock.wake = null;
      return null;
    }
    return new Promise((resolve) => {
      const end = (): void => {
        sock.wake = null;
        callOff();
        resolve(0);
      };
      const callOff = host.after(Math.min(sock.options!.lingerSec * 1e6, MAX_WAIT_US), end, 'posix.linger');
      sock.wake = () => {
        if (!isLeft()) end();
      };
    });
  }

  get #lingers(): boolean {
    return this.isStream && (this.sock.options?.lingerSec ?? -1) > 0;
  }

  protected release(): void {
    // Who lingers is told of it by the same way.
    if (!this.#lingers) this.sock.wake = null;
    this.calls.close(this.sock);
  }
}
