import type { SockCommon, SocketCalls } from '@softnet/contract';
import { SOCK_TYPE } from '@softnet/contract';
import { OpenFile } from './open-file.ts';

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

  get isStream(): boolean {
    const { type } = this.sock.ops;
    return type === SOCK_TYPE.STREAM || type === SOCK_TYPE.SEQPACKET || type === SOCK_TYPE.DCCP;
  }

  /** Stands for this socket from now on. */
  adopt(sock: SockCommon): void {
    this.sock = sock;
    sock.user = this;
    sock.wake = () => this.changed();
  }

  poll(): number {
    return this.calls.poll(this.sock);
  }

  protected release(): void {
    this.sock.wake = null;
    this.calls.close(this.sock);
  }
}
