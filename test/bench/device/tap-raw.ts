import { closeSync, constants, openSync, read, write } from 'node:fs';
import { createRequire } from 'node:module';
import type { Figures } from '../work.ts';
import { benchFrame, measureHere, repositoryFile, TapRig, wait } from './tap-rig.ts';

/** As much of koffi as is wanted. */
interface Koffi {
  load(path: null): { func(declaration: string): (...words: unknown[]) => number };
  errno(): number;
  readonly node: { poll(fd: number, events: object, ready: () => void): { close(): void } };
}

/** <linux/if_tun.h>. IFF_TAP | IFF_NO_PI. */
const TUNSETIFF = 0x400454ca;
const FLAGS = 0x1002;
const FRAME_BYTES = 1982;
const BATCH = 64;

interface RawTap {
  readonly rig: TapRig;
  readonly fd: number;
  readonly koffi: Koffi;
}

/** With a tap that is up, and no softnet. */
async function withRawTap(measure: (tap: RawTap) => Promise<Figures>): Promise<Figures> {
  const koffi = createRequire(repositoryFile('packages/nic-driver/package.json'))('koffi') as Koffi;
  const rig = new TapRig();
  const fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
  try {
    const ifreq = Buffer.alloc(40);
    ifreq.write(`sn${process.pid}`);
    ifreq.writeUInt16LE(FLAGS, 16);
    const ioctl = koffi.load(null).func('int ioctl(int fd, unsigned long request, void *argument)');
    if (ioctl(fd, TUNSETIFF, ifreq) !== 0) throw new Error(`TUNSETIFF: errno ${koffi.errno()}`);
    rig.take(`sn${process.pid}`);
    return await measure({ rig, fd, koffi });
  } finally {
    closeSync(fd);
    rig.close();
  }
}

/** What softnet's driver stands on: a drain of a batch by read(2) through koffi, then libuv's poll. */
export function koffiReads(lenBytes: number): Promise<Figures> {
  return withRawTap(async ({ rig, fd, koffi }) => {
    const readOne = koffi.load(null).func('intptr_t read(int fd, void *bytes, size_t length)');
    const ring = Array.from({ length: BATCH }, () => new Uint8Array(new ArrayBuffer(FRAME_BYTES)));
    let frames = 0;
    const handle = koffi.node.poll(fd, { readable: true }, () => {
      for (let i = 0; i < BATCH && readOne(fd, ring[i], FRAME_BYTES) >= 0; i++) frames++;
    });
    rig.flood(lenBytes);
    const figures = await measureHere(() => frames, wait);
    handle.close();
    return figures;
  });
}

export function koffiWrites(lenBytes: number): Promise<Figures> {
  return withRawTap(async ({ fd, koffi }) => {
    const writeOne = koffi.load(null).func('intptr_t write(int fd, void *bytes, size_t length)');
    const frame = benchFrame(lenBytes);
    let frames = 0;
    return measureHere(
      () => frames,
      async (untilMs) => {
        while (performance.now() < untilMs) {
          for (let i = 0; i < BATCH; i++) if (writeOne(fd, frame, lenBytes) === lenBytes) frames++;
          await new Promise(setImmediate);
        }
      },
    );
  });
}

/** Node's own: one of libuv's threads for each call. */
export function fsReads(lenBytes: number): Promise<Figures> {
  return withRawTap(({ rig, fd }) => {
    const buffer = new Uint8Array(FRAME_BYTES);
    rig.flood(lenBytes);
    return measureCalls((done) => read(fd, buffer, 0, FRAME_BYTES, null, done));
  });
}

export function fsWrites(lenBytes: number): Promise<Figures> {
  return withRawTap(({ fd }) => {
    const frame = benchFrame(lenBytes);
    return measureCalls((done) => write(fd, frame, 0, lenBytes, null, done));
  });
}

/** One call after the other. */
function measureCalls(call: (done: (error: NodeJS.ErrnoException | null) => void) => void): Promise<Figures> {
  let frames = 0;
  const calls = (untilMs: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const done = (error: NodeJS.ErrnoException | null): void => {
        if (error === null) frames++;
        if (error !== null && error.code !== 'EAGAIN') reject(error);
        else if (performance.now() < untilMs) call(done);
        else resolve();
      };
      call(done);
    });
  return measureHere(() => frames, calls);
}
