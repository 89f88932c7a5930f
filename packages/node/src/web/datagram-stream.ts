import type { RemoteInfo } from 'node:dgram';
import type { DgramSocket } from '../dgram/dgram-socket.ts';
import { hearSignal } from '../errors/hear-signal.ts';

/** What came, and from whom. */
export interface ReceivedDatagram {
  readonly data: Uint8Array;
  readonly info: RemoteInfo;
}

/**
 * A socket's datagrams as a WHATWG stream. Who reads slowly leaves them in the kernel, which drops what SO_RCVBUF does not hold.
 * @param options.signal ends it, with the signal's reason. Cancelling leaves the socket open, and reading.
 */
export function datagramStream(socket: DgramSocket, { signal }: { readonly signal?: AbortSignal } = {}): ReadableStream<ReceivedDatagram> {
  let leave = (): void => {};
  return new ReadableStream<ReceivedDatagram>({
    start(controller) {
      const message = (data: Uint8Array, info: RemoteInfo): void => {
        controller.enqueue({ data, info });
        if ((controller.desiredSize ?? 0) <= 0) socket.pause();
      };
      const failed = (error: unknown): void => {
        leave();
        controller.error(error);
      };
      const closed = (): void => {
        leave();
        controller.close();
      };
      socket.on('message', message).on('error', failed).on('close', closed);
      let unhear = (): void => {};
      leave = () => {
        unhear();
        socket.off('message', message).off('error', failed).off('close', closed);
        socket.resume();
      };
      if (signal !== undefined) unhear = hearSignal(signal, () => failed(signal.reason));
    },
    pull: () => void socket.resume(),
    cancel: () => leave(),
  });
}
