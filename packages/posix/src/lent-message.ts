import { MESSAGE_FLAG, Message } from '@softnet/contract';

/** One record that calls fill anew, lent to one at a time: another may come in its midst, as a socket may wake its peer at once. */
export class LentMessage {
  #idle: Message | null = new Message();

  /** Takes it out, for these places. MSG_SKB is no flag of programs. */
  take(data: Uint8Array | null, more: readonly Uint8Array[] | null, flags: number): Message {
    const message = this.#idle ?? new Message();
    this.#idle = null;
    message.data = data;
    message.more = more;
    message.flags = flags & ~MESSAGE_FLAG.SKB;
    return message;
  }

  giveBack(message: Message): void {
    this.#idle = message;
  }
}
