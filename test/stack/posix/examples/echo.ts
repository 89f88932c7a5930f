import type { FaceHost } from '@softnet/contract';
import { addressText, constants, emptyAddress, Posix, socketAddress } from '@softnet/posix';

/** Answers so many datagrams, and says from where each came. */
export async function echo(kernel: FaceHost, count: number): Promise<string[]> {
  const { AF_INET, SOCK_DGRAM } = constants;
  const posix = new Posix(kernel); // one process
  const fd = posix.socket(AF_INET, SOCK_DGRAM);
  if (posix.bind(fd, socketAddress('127.0.0.1', 7)!) < 0) throw new Error(posix.lastError); // 'bind(0): EADDRINUSE: another socket has ...'
  const [place, from, names] = [new Uint8Array(1500), emptyAddress(), [] as string[]];
  while (names.length < count) {
    const lenBytes = await posix.recvfrom(fd, place, 0, from); // waits
    if (lenBytes < 0) throw new Error(posix.lastError);
    posix.sendto(fd, place.subarray(0, lenBytes), 0, from);
    names.push(addressText(from));
  }
  posix.exit();
  return names;
}
