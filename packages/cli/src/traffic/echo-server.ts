import type { Port } from '@softnet/contract';
import type { Talk, TalkConnection, TalkListener } from '@softnet/testkit';
import { echo } from '@softnet/testkit';

/** Sends back what it gets, as long as there is talk. */
export class EchoServer {
  readonly #talk: Port<Talk>;
  readonly #port: number;
  readonly #connections = new Set<TalkConnection>();
  #listener: TalkListener | undefined;

  constructor(talk: Port<Talk>, port: number) {
    this.#talk = talk;
    this.#port = port;
  }

  /** Listens, unless it does, or there is no talk. */
  open(): void {
    if (this.#listener !== undefined || !this.#talk.present) return;
    const listener = this.#talk.current.listen(this.#port, { owner: 'echo server' });
    this.#listener = listener;
    listener.onConnection = (connection) => {
      this.#connections.add(connection);
      void connection.closed.then(() => this.#connections.delete(connection));
      echo(connection);
    };
    void listener.closed.then(() => {
      if (this.#listener === listener) this.#listener = undefined;
    });
  }

  close(): void {
    this.#listener?.close();
    this.#listener = undefined;
    for (const connection of this.#connections) connection.close();
  }
}
