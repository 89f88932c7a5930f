import type { FaceHost } from '@softnet/contract';
import type { EpollEvent } from '@softnet/posix';
import { constants, Posix, socketAddress } from '@softnet/posix';

/** Echoes what comes on every connection, until its signal comes; says how many connections there were. */
export async function epollServer(kernel: FaceHost, signal: AbortSignal): Promise<number> {
  const { AF_INET, SOCK_STREAM, SOCK_NONBLOCK, EPOLLIN, EPOLL_CTL_ADD, EAGAIN, MSG_NOSIGNAL } = constants;
  const posix = new Posix(kernel, { name: 'echo' });
  const listener = posix.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  posix.bind(listener, socketAddress('0.0.0.0', 7)!);
  if (posix.listen(listener, 16) < 0) throw new Error(posix.lastError);
  const epoll = posix.epoll_create1();
  posix.epoll_ctl(epoll, EPOLL_CTL_ADD, listener, { events: EPOLLIN, data: listener });
  const [events, place] = [[] as EpollEvent[], new Uint8Array(4096)];
  let count = 0;
  while ((await posix.epoll_wait(epoll, events, 64, -1, signal)) > 0) {
    for (const { data: fd } of events) {
      if (fd === listener) {
        const client = await posix.accept4(listener, null, SOCK_NONBLOCK);
        if (client >= 0) count++;
        posix.epoll_ctl(epoll, EPOLL_CTL_ADD, client, { events: EPOLLIN, data: client });
        continue;
      }
      const lenBytes = await posix.recv(fd, place);
      if (lenBytes > 0) await posix.send(fd, place.subarray(0, lenBytes), MSG_NOSIGNAL);
      else if (lenBytes !== -EAGAIN) posix.close(fd); // 0 is the end; its epoll forgets it
    }
  }
  posix.exit(); // closes what is open
  return count;
}
