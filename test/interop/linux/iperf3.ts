import type * as dgram from 'node:dgram';
import { once } from 'node:events';
import type * as net from 'node:net';
import type { NodeFaces } from '@softnet/node';

/** What either side says on the control connection, a byte each. */
const STATE = Object.freeze({
  ...{ TEST_START: 1, TEST_RUNNING: 2, TEST_END: 4, PARAM_EXCHANGE: 9, CREATE_STREAMS: 10 },
  ...{ EXCHANGE_RESULTS: 13, DISPLAY_RESULTS: 14, IPERF_DONE: 16 },
});
const COOKIE_BYTES = 37;
const UDP_HELLO = Buffer.from([0x39, 0x38, 0x37, 0x36]);
const UDP_ANSWER = Buffer.from([0x36, 0x37, 0x38, 0x39]);
/** Seconds, microseconds, number. */
const UDP_HEADER_BYTES = 12;
const STREAM_ID = 1;

/** As much as is used here of what a client asks for. One stream. */
export interface Asked {
  readonly tcp?: boolean;
  readonly udp?: boolean;
  /** The server sends. */
  readonly reverse?: boolean;
  /** Bytes in all, and of each write or datagram. */
  readonly num: number;
  readonly len: number;
  /** Bits a second; without it Linux’s server does not pace datagrams. */
  readonly bandwidth?: number;
}

/** What was sent or heard, and what the other says of it. */
export interface Result {
  readonly bytes: number;
  readonly packets: number;
  /** UDP: that never came. */
  readonly errors: number;
  readonly theirBytes: number;
  readonly theirPackets: number;
  readonly ms: number;
}

/** One stream's way, TCP or UDP: sends so many bytes, or counts what comes. */
class Counter {
  bytes = 0;
  packets = 0;
  errors = 0;
  isEnough = false;
  #wanted = 0;
  #reached: (() => void) | null = null;

  hear(data: Buffer, isDatagram: boolean): void {
    this.bytes += data.length;
    if (isDatagram) {
      const number = data.readUInt32BE(8);
      this.errors += number - this.packets - 1 - this.errors;
      this.packets = number - this.errors;
    }
    if (this.bytes >= this.#wanted) this.#reached?.();
  }

  /** When so many bytes have come. */
  reach(bytes: number): Promise<void> {
    this.#wanted = bytes;
    return this.bytes >= bytes ? Promise.resolve() : new Promise((resolve) => (this.#reached = resolve));
  }

  async send(socket: net.Socket, { num, len }: Asked): Promise<void> {
    const block = Buffer.alloc(len, 'iperf');
    for (; this.bytes < num; this.bytes += len) if (!socket.write(block)) await once(socket, 'drain');
  }

  /** A batch, then a pause: nothing holds datagrams back by itself. Of what a server sends some may be lost: it goes on until it is told that there was enough. */
  async sendDatagrams(send: (data: Buffer, done: () => void) => void, { num, len, reverse = false }: Asked): Promise<void> {
    while (reverse ? !this.isEnough : this.bytes < num) {
      const data = Buffer.alloc(len, 'iperf');
      data.writeUInt32BE(++this.packets, 8);
      this.bytes += len;
      await new Promise<void>((done) => send(data, done));
      if (this.packets % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  get json(): object {
    const { bytes, packets, errors } = this;
    const stream = { id: STREAM_ID, bytes, retransmits: -1, jitter: 0, errors, packets, start_time: 0, end_time: 1 };
    return { cpu_util_total: 0, cpu_util_user: 0, cpu_util_system: 0, sender_has_retransmits: 0, streams: [stream] };
  }
}

/** The control connection. */
class Control {
  readonly #socket: net.Socket;
  #held = Buffer.alloc(0);
  #more: (() => void) | null = null;
  #failed: Error | null = null;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on('data', (part) => {
      this.#held = Buffer.concat([this.#held, part as Buffer]);
      this.#more?.();
    });
    const fail = (error: Error): void => {
      this.#failed = error;
      this.#more?.();
    };
    socket.on('error', fail).on('end', () => fail(new Error('the control connection ended')));
  }

  async bytes(count: number): Promise<Buffer> {
    while (this.#held.length < count) {
      if (this.#failed !== null) throw this.#failed;
      await new Promise<void>((resolve) => (this.#more = resolve));
    }
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }

  /** @throws where another state is said. */
  async hear(...states: readonly number[]): Promise<void> {
    for (const state of states) {
      const said = (await this.bytes(1)).readInt8(0);
      if (said !== state) throw new Error(`iperf3 says state ${said}, not ${state}`);
    }
  }

  say(...states: readonly number[]): void {
    this.#socket.write(Buffer.from(states));
  }

  async hearJson<T>(): Promise<T> {
    const lenBytes = (await this.bytes(4)).readUInt32BE(0);
    return JSON.parse((await this.bytes(lenBytes)).toString()) as T;
  }

  sayJson(value: object): void {
    const text = Buffer.from(JSON.stringify(value));
    const head = Buffer.alloc(4);
    head.writeUInt32BE(text.length);
    this.#socket.write(Buffer.concat([head, text]));
  }
}

interface Told {
  readonly streams: readonly { readonly bytes: number; readonly packets: number }[];
}

function resultOf(counter: Counter, { streams: [stream] }: Told, ms: number): Result {
  const { bytes, packets, errors } = counter;
  return { bytes, packets, errors, theirBytes: stream!.bytes, theirPackets: stream!.packets, ms };
}

/** `iperf3 -c`, of one stream, over sockets of softnet's. */
export async function iperf3Client({ net, dgram }: NodeFaces, host: string, port: number, asked: Asked): Promise<Result> {
  const socket = net.connect(port, host);
  const control = new Control(socket);
  await once(socket, 'connect');
  const cookie = Buffer.from(`${'softnet'.repeat(6).slice(0, COOKIE_BYTES - 1)}\0`);
  socket.write(cookie);
  await control.hear(STATE.PARAM_EXCHANGE);
  control.sayJson({ omit: 0, time: 0, blockcount: 0, parallel: 1, pacing_timer: 1000, client_version: '3.12', ...asked });
  await control.hear(STATE.CREATE_STREAMS);
  const counter = new Counter();
  const stream = asked.udp === true ? await datagramStream(dgram, host, port, counter) : net.connect(port, host);
  if ('write' in stream) {
    await once(stream, 'connect');
    // A side that has heard enough resets.
    stream.on('error', () => {}).on('data', (part) => counter.hear(part as Buffer, false));
    stream.write(cookie);
  }
  await control.hear(STATE.TEST_START, STATE.TEST_RUNNING);
  const begin = performance.now();
  if (asked.reverse === true) await counter.reach(asked.num);
  else if ('write' in stream) await counter.send(stream, asked);
  else await counter.sendDatagrams((data, done) => stream.send(data, done), asked);
  const ms = performance.now() - begin;
  control.say(STATE.TEST_END);
  await control.hear(STATE.EXCHANGE_RESULTS);
  control.sayJson(counter.json);
  const told = await control.hearJson<Told>();
  await control.hear(STATE.DISPLAY_RESULTS);
  control.say(STATE.IPERF_DONE);
  if ('write' in stream) stream.destroy();
  else stream.close();
  socket.end();
  return resultOf(counter, told, ms);
}

async function datagramStream(face: NodeFaces['dgram'], host: string, port: number, counter: Counter): Promise<dgram.Socket> {
  const socket = face.createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.connect(port, host);
  await once(socket, 'connect');
  const answered = once(socket, 'message');
  socket.on('message', (data) => {
    if (data.length >= UDP_HEADER_BYTES) counter.hear(data, true);
  });
  socket.send(UDP_HELLO);
  const [answer] = await answered;
  if (!UDP_ANSWER.equals(answer)) throw new Error(`iperf3 answers ${answer.toString('hex')}`);
  return socket;
}

/** `iperf3 -s -1`: serves one client. @param listening called when it listens. */
export async function iperf3Server({ net, dgram }: NodeFaces, host: string, port: number, listening: () => void): Promise<Result> {
  const connections: net.Socket[] = [];
  const [listener, counter] = [net.createServer((socket) => void connections.push(socket)), new Counter()];
  listener.listen(port, host, listening);
  const next = async (): Promise<net.Socket> => {
    while (connections.length === 0) await once(listener, 'connection');
    return connections.shift()!;
  };
  const socket = await next();
  const control = new Control(socket);
  await control.bytes(COOKIE_BYTES);
  control.say(STATE.PARAM_EXCHANGE);
  const asked = await control.hearJson<Asked>();
  const datagrams = asked.udp === true ? await boundSocket(dgram, host, port) : null;
  const greeted = datagrams === null ? null : once(datagrams, 'message');
  control.say(STATE.CREATE_STREAMS);
  const { send, end } =
    datagrams === null ? heardStream(await next(), counter, asked) : heardDatagrams(datagrams, (await greeted!)[1], counter, asked);
  control.say(STATE.TEST_START, STATE.TEST_RUNNING);
  const begin = performance.now();
  const sent = asked.reverse === true ? send() : Promise.resolve();
  if (asked.reverse !== true && asked.udp !== true) await counter.reach(asked.num);
  await control.hear(STATE.TEST_END);
  counter.isEnough = true;
  await sent;
  const ms = performance.now() - begin;
  control.say(STATE.EXCHANGE_RESULTS);
  const told = await control.hearJson<Told>();
  control.sayJson(counter.json);
  control.say(STATE.DISPLAY_RESULTS);
  await control.hear(STATE.IPERF_DONE);
  end();
  socket.end();
  listener.close();
  return resultOf(counter, told, ms);
}

/** Of a server, once it is open. */
interface ServedStream {
  send(): Promise<void>;
  end(): void;
}

async function boundSocket(face: NodeFaces['dgram'], host: string, port: number): Promise<dgram.Socket> {
  const socket = face.createSocket(host.includes(':') ? 'udp6' : 'udp4').bind(port, host);
  await once(socket, 'listening');
  return socket;
}

function heardDatagrams(socket: dgram.Socket, { port, address }: dgram.RemoteInfo, counter: Counter, asked: Asked): ServedStream {
  socket.on('message', (data) => counter.hear(data, data.length >= UDP_HEADER_BYTES));
  socket.send(UDP_ANSWER, port, address);
  const send = (): Promise<void> => counter.sendDatagrams((data, done) => socket.send(data, port, address, done), asked);
  return { send, end: () => socket.close() };
}

function heardStream(stream: net.Socket, counter: Counter, asked: Asked): ServedStream {
  let cookieLeft = COOKIE_BYTES;
  stream.on('error', () => {});
  stream.on('data', (part: Buffer) => {
    const skipped = Math.min(cookieLeft, part.length);
    cookieLeft -= skipped;
    counter.hear(part.subarray(skipped), false);
  });
  return { send: () => counter.send(stream, asked), end: () => stream.destroy() };
}
