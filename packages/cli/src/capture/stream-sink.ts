import { spawn } from 'node:child_process';
import { constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { cannotWrite } from './cannot-write.ts';
import type { CaptureSink, SinkUser } from './capture-sink.ts';

/** Given to the stream and not taken by the host; beyond it the capture waits. */
const MOST_WAITING_BYTES = 1 << 20;

/** A stream that somebody reads live: Wireshark, through a pipe. Nothing waits for its reader but the capture. */
export class StreamSink implements CaptureSink {
  readonly #stream: Writable;
  readonly #user: SinkUser;
  #over = false;
  #full = false;

  constructor(stream: Writable, user: SinkUser) {
    this.#stream = stream;
    this.#user = user;
    stream.on('error', (error) => this.#gone(error.message));
    stream.on('close', () => this.#gone(''));
    stream.on('drain', () => {
      this.#full = false;
      this.#user.drained();
    });
  }

  write(bytes: Uint8Array): boolean {
    if (this.#over) return true;
    // The stream's own measure is smaller, and 'drain' comes when it has nothing left.
    const isDrained = this.#stream.write(bytes);
    this.#full ||= !isDrained && this.#stream.writableLength >= MOST_WAITING_BYTES;
    return !this.#full;
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stream.end();
  }

  #gone(why: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#stream.destroy();
    this.#user.gone(why);
  }
}

/**
 * A named pipe that somebody has open to read.
 * @throws NetError ENXIO: nobody has.
 */
export function openPipe(path: string, user: SinkUser): CaptureSink {
  try {
    const descriptor = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    return new StreamSink(new Socket({ fd: descriptor, readable: false, writable: true }), user);
  } catch (error) {
    throw cannotWrite(path, error, `nobody reads this pipe: begin with 'wireshark -k -i ${path}', then say it again`);
  }
}

/** A program that reads the capture from its standard input: 'wireshark -k -i -'. What it says goes to our standard error. */
export function openProgram(command: string, user: SinkUser): CaptureSink {
  const child = spawn(command, { shell: true, stdio: ['pipe', 'ignore', 'inherit'] });
  child.on('error', (error) => user.gone(error.message));
  child.on('exit', (code) => {
    // A shell says by 127 that there is no such program.
    if (code !== null && code !== 0) user.gone(code === 127 ? `there is no program '${command}'` : `'${command}' ended with ${code}`);
  });
  return new StreamSink(child.stdin, user);
}
