import { mkdtempSync, rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { main } from '../main.ts';
import { bootDevice } from './device-scene.ts';

let folder: string;
let server: Server | undefined;
let sockets: Set<Socket>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'softnet-device-'));
  sockets = new Set();
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  if (server !== undefined) await new Promise((resolve) => server!.close(resolve));
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** A stand-in for QEMU: 4 bytes of length, then a frame. */
async function listen(path: string, heard: (frame: Buffer) => void): Promise<void> {
  server = createServer((socket: Socket) => {
    let bytes = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE(0)) {
        const end = 4 + bytes.readUInt32BE(0);
        heard(bytes.subarray(4, end));
        bytes = bytes.subarray(end);
      }
    });
    socket.on('error', () => undefined);
    sockets.add(socket);
  });
  await new Promise<void>((resolve) => server!.listen(path, resolve));
}

async function run(...words: string[]): Promise<{ code: number; err: string }> {
  let err = '';
  const sink = { write: () => true } as unknown as NodeJS.WriteStream;
  const stderr = {
    write: (text: string) => {
      err += text;
      return true;
    },
  } as unknown as NodeJS.WriteStream;
  return { code: await main(words, { stdin: {} as NodeJS.ReadStream, stdout: sink, stderr, env: {} }), err };
}

describe('a kernel at a device', () => {
  test('of QEMU has its addresses, says what to type, and leaves nothing', async () => {
    const path = join(folder, 'nic.sock');
    const frames: Buffer[] = [];
    await listen(path, (frame) => frames.push(Buffer.from(frame)));
    const scene = await bootDevice({ device: { kind: 'qemu', path }, addresses: ['10.77.0.2/24', 'fd77::2/64'], seed: 1, debug: false });
    expect(scene.welcome).toEqual([
      `softnet is 10.77.0.2 and fd77::2 in the guest behind ${path}, with udp-echo at port 7 and a web server at port 80. There, type: ip addr add 10.77.0.1/24 dev DEVICE; ip addr add fd77::1/64 dev DEVICE; ip link set DEVICE up; ping 10.77.0.2`,
    ]);
    const [host] = scene.hosts;
    expect(host!.device('eth0').kind).toBe('qemu');
    // It asks for its neighbour, by ARP and by ND.
    for (const neighbour of ['10.77.0.1', 'fd77::1']) await expect(host!.ping(neighbour, { timeoutMs: 20 })).rejects.toThrow(/ETIMEDOUT/);
    await expect.poll(() => [0x0806, 0x86dd].every((type) => frames.some((frame) => frame.readUInt16BE(12) === type))).toBe(true);
    expect(host!.kernel.module('udp-echo')?.state).toBe('live');
    await scene.net.dispose();
    expect(host!.kernel.modules()).toEqual([]);
  });

  test('that is not there is one sentence, and exit code 1', async () => {
    const { code, err } = await run('start', '--qemu', join(folder, 'nobody.sock'));
    expect(err).toMatch(/^softnet: E\w+: .*nobody\.sock/);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect(code).toBe(1);
  });

  test('words that do not go together are one sentence, and exit code 2', async () => {
    for (const [words, sentence] of [
      [['--tap', 'x', '--qemu', 'y'], /^softnet: --tap or --qemu: one of them/],
      [['--address', '10.0.0.1/8'], /^softnet: --address goes with --tap or --qemu/],
      [['--tap', 'x', '--address', '10.0.0.1'], /^softnet: --address takes an address with its prefix/],
      [['--tap', 'x', '--address', 'here/8'], /^softnet: --address takes an address with its prefix/],
    ] as const) {
      const { code, err } = await run('start', ...words);
      expect(err).toMatch(sentence);
      expect(code).toBe(2);
    }
  });
});
