import type { FaceHost, Notice, Owner } from '@softnet/contract';
import { ERRNO, SockCommon } from '@softnet/contract';
import { Descriptors } from './descriptors.ts';
import { failureText } from './errno-text.ts';
import type { OpenFile } from './open-file.ts';
import { SocketFile } from './socket-file.ts';
import type { WaitTerms } from './waiting.ts';
import { Waiting } from './waiting.ts';

/** What a call answers: 0 or more, or -errno; where it must wait a promise of that, which never rejects. */
export type Answer = number | Promise<number>;

/** How {@link Process} is made. */
export interface ProcessOptions {
  /** Shown in lists of holders. Default 'posix'. */
  readonly name?: string;
  /** RLIMIT_NOFILE. Default 1024. */
  readonly maxDescriptors?: number;
  /**
   * Told where Linux sends a signal: a stream that cannot send any more was sent to without MSG_NOSIGNAL. The call answers -EPIPE all the same, and nobody dies. Default: nobody is told.
   */
  readonly onSignal?: (name: 'SIGPIPE') => void;
}

/** Whose descriptors they are, and what its calls share. */
export class Process implements Owner {
  readonly name: string;
  readonly host: FaceHost;
  readonly descriptors: Descriptors;
  /** Why the last call that failed did, in a sentence; '': none has. */
  lastError = '';
  /** @param name of the signal. */
  readonly signal: (name: 'SIGPIPE') => void;

  constructor(host: FaceHost, { name = 'posix', maxDescriptors = 1024, onSignal = () => undefined }: ProcessOptions) {
    this.host = host;
    this.name = name;
    this.signal = onSignal;
    this.descriptors = new Descriptors(maxDescriptors);
  }

  /** A module has something to say of one of its sockets. */
  notice({ sort, object, before = object, error }: Notice): void {
    const file = before instanceof SockCommon ? fileOf(before) : null;
    if (file === null) return;
    if (sort === 'moved') file.adopt(object as SockCommon);
    if (sort !== 'closed') return;
    if (error !== undefined) file.failure = error;
    file.lost();
  }

  /** The answer as it is; if it is an errno, with its sentence. */
  answered(call: string, result: number): number {
    if (result < 0) this.lastError = failureText(call, result);
    return result;
  }

  /** The file of a descriptor, or -EBADF. */
  file(fd: number): OpenFile | number {
    return this.descriptors.file(fd) ?? -ERRNO.EBADF;
  }

  /** The socket of a descriptor; -EBADF, -ENOTSOCK. */
  socket(fd: number): SocketFile | number {
    const file = this.descriptors.file(fd);
    if (file === null) return -ERRNO.EBADF;
    return file instanceof SocketFile ? file : -ERRNO.ENOTSOCK;
  }

  /** Waits until `attempt` answers other than -EAGAIN. @param settled what the call answers, of how its wait ended. */
  wait(
    call: string,
    file: OpenFile,
    terms: Omit<WaitTerms, 'place'>,
    attempt: () => number,
    settled = (result: number): number => result,
  ): Promise<number> {
    const { promise } = new Waiting(this.host, file, { ...terms, place: 'posix.wait' }, attempt);
    return promise.then((ended) => {
      const { failure } = file;
      // What a socket that is no more says of itself comes before the reason of it.
      const isLost = failure !== null && !file.isClosed && (ended === -ERRNO.EBADF || ended === failure.errno);
      const result = this.answered(call, settled(isLost ? failure.errno : ended));
      if (isLost && result < 0) this.lastError = `${call}: ${failure.message}`;
      return result;
    });
  }
}

/** The descriptor's file that a socket is in. */
function fileOf({ user }: SockCommon): SocketFile | null {
  return user instanceof SocketFile ? user : null;
}
