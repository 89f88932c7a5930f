import type { SockCommon } from '@softnet/contract';
import type { Deadline } from './deadlines.ts';

/** What is left of a connection in TIME-WAIT, or in FIN-WAIT-2 when its user has closed it; `sock.state` says which. `SockCommon.ext` of the small socket that stands in its place. */
export class TimeWait implements Deadline<TimeWait> {
  readonly sock: SockCommon;
  /** SND.NXT and RCV.NXT. */
  sndNxt = 0;
  rcvNxt = 0;
  /** RCV.WND, bytes, and how its field is shifted. */
  rcvWnd = 0;
  rcvShift = 0;
  hasTimestamps = false;
  tsRecent = 0;
  /** Kernel seconds, when TS.Recent was set. */
  tsRecentAtS = 0;
  tsOffset = 0;
  /** When it last answered, kernel ms; 0: never. */
  answeredMs = 0;
  /** Of its packets. */
  mark = 0;
  priority = 0;
  /** The connection whose user has not closed it yet: told by nobody, kept by the socket room. */
  user: object | null = null;
  atMs = 0;
  prev: TimeWait | null = null;
  next: TimeWait | null = null;

  constructor(sock: SockCommon) {
    this.sock = sock;
  }
}
