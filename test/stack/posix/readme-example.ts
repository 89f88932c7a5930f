import type { FaceHost } from '@softnet/contract';
import { constants, emptyAddress, Posix, socketAddress } from '@softnet/posix';

/** Answers one datagram, and says how long it was. */
export async function answerOne(kernel: FaceHost): Promise<number> {
  const posix = new Posix(kernel); // one process
  const fd = posix.socket(constants.AF_INET!, constants.SOCK_DGRAM!);
  posix.bind(fd, socketAddress('127.0.0.1', 7)!);
  const [place, from] = [new Uint8Array(1500), emptyAddress()];
  const count = await posix.recvfrom(fd, place, 0, from); // waits
  if (count < 0) throw new Error(posix.lastError); // 'recvfrom: EINTR: its signal came while it waited'
  posix.sendto(fd, place.subarray(0, count), 0, from);
  posix.exit();
  return count;
}
