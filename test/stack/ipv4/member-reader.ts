import { Message } from '@softnet/contract';
import type { DatagramUser } from '@softnet/testkit';

/** One for all users: a view of each other one would be an object. */
const PLACE = new Uint8Array(2000);

export interface MemberReader {
  readonly take: () => number;
  readonly close: () => void;
}

/** A user whose datagrams are taken without a program, and without garbage: bytes of the next, or -errno. */
export function memberReader(user: DatagramUser): MemberReader {
  // A program's own affair, which makes some.
  user.sock.wake = null;
  const message = new Message();
  message.data = PLACE;
  const { calls } = user.sock.ops;
  const take = (): number => {
    message.flags = 0;
    return calls!.receive(user.sock, message);
  };
  return { take, close: () => user.close() };
}
