import { closeSync } from 'node:fs';
import { makePool, put } from '@softnet/skb';
import koffi from 'koffi';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Libc, Watch } from './libc.ts';
import { loadLibc } from './libc.ts';
import { ScatterList } from './scatter-list.ts';

const EAGAIN = 11;
const AF_UNIX = 1;
/** SOCK_SEQPACKET | SOCK_NONBLOCK: one write is one read, as of a tap. */
const TYPE = 5 | 0o4000;

describe('loadLibc', () => {
  it.each([
    ['darwin', 'arm64'],
    ['win32', 'x64'],
    ['linux', 'ppc64'],
  ])('says that %s on %s will not do', async (platform, architecture) => {
    const user = { name: 'tap', instead: 'qemu or wire' };
    await expect(loadLibc(user, platform, architecture)).rejects.toThrow(/ENOSYS: tap needs Linux on x64, .*: use qemu or wire instead/);
  });
});

describe.skipIf(process.platform !== 'linux')('the C library, with packets over a pair of sockets', () => {
  let libc: Libc;
  let watch: Watch | null = null;
  const fds = new Int32Array(2);
  const pool = makePool({ buffers: 8, pages: 8 });

  beforeEach(async () => {
    libc = await loadLibc({ name: 'a test', instead: 'nothing' });
    koffi.load(null).func('int socketpair(int domain, int type, int protocol, void *fds)')(AF_UNIX, TYPE, 0, fds);
  });
  afterEach(() => {
    watch?.close();
    watch = null;
    for (const fd of fds) closeSync(fd);
  });

  function send(lenBytes: number, first: number): number {
    const list = new ScatterList((bytes) => libc.addressOf(bytes));
    const skb = pool.alloc(0, lenBytes)!;
    const at = put(skb, lenBytes);
    for (let i = 0; i < lenBytes; i++) skb.memory.bytes[at + i] = (first + i) & 0xff;
    list.fill(skb);
    const written = libc.writev(fds[0]!, list.iovecs, list.count);
    pool.release(skb);
    return written;
  }

  function receive(): Uint8Array | number {
    const list = new ScatterList((bytes) => libc.addressOf(bytes));
    const skb = pool.alloc(0, 2000)!;
    const at = put(skb, 2000);
    list.fill(skb);
    const count = libc.readv(fds[1]!, list.iovecs, list.count);
    const errno = libc.errno();
    const bytes = skb.memory.bytes.slice(at, at + Math.max(count, 0));
    pool.release(skb);
    return count < 0 ? -errno : bytes;
  }

  it('reads into packet memory and writes from it, WebAssembly or not', () => {
    expect(send(100, 7)).toBe(100);
    expect(receive()).toEqual(Uint8Array.from({ length: 100 }, (_, at) => 7 + at));
    expect(receive()).toBe(-EAGAIN);
  });

  it('watches without a thread: told once there is something, and no more while it rests', async () => {
    let told = 0;
    const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));
    watch = libc.watch(fds[1]!, () => {
      told++;
      watch!.stop();
    });
    watch.start(false);
    await turn();
    expect(told).toBe(0);
    send(10, 0);
    await turn();
    expect(told).toBe(1);
    watch.start(false);
    await turn();
    expect(told).toBe(2);
    expect(receive()).toHaveLength(10);
    watch.start(false);
    await turn();
    expect(told).toBe(2);
    watch.start(true);
    await turn();
    expect(told).toBe(3);
    watch.close();
    watch.close();
    watch.stop();
    watch.start(true);
    send(10, 0);
    await turn();
    expect(told).toBe(3);
  });

  it('knows whether it can be written to', () => {
    expect(libc.canWrite(fds[0]!)).toBe(true);
    while (send(2000, 0) > 0);
    expect([libc.errno(), libc.canWrite(fds[0]!)]).toEqual([EAGAIN, false]);
    receive();
    expect(libc.canWrite(fds[0]!)).toBe(false);
    while (receive() !== -EAGAIN);
    expect(libc.canWrite(fds[0]!)).toBe(true);
    expect(libc.canWrite(-1)).toBe(false);
  });
});
