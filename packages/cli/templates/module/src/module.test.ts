import { Kernel, World } from '@softnet/kernel';
import type { Traffic } from '@softnet/testkit';
import { complianceChecks } from '@softnet/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import type { SkeletonSocket } from './index.ts';
import SkeletonPlugin, { SkeletonEcho, SkeletonInput } from './index.ts';
import { emit, parse } from './wire.ts';

const payload = Uint8Array.of(1, 2, 3);
const me = { name: 'me' };
let kernel: Kernel;

/** A packet comes in: it is for the generation that has the connection. */
function receive(kernel: Kernel, bytes: Uint8Array): boolean {
  return kernel.contributions(SkeletonInput).items.some((input) => input.receive(bytes));
}

/** A connection whose other end echoes at once, or never. */
function open(kernel: Kernel, answers = true): SkeletonSocket {
  return kernel.port(SkeletonEcho).current.open(me, (bytes) => {
    const request = parse(bytes);
    if (answers && request !== undefined) receive(kernel, emit({ ...request, type: 'reply' }));
  });
}

/** Resolves with what comes back. */
function echo(socket: SkeletonSocket): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    socket.onReply = resolve;
    socket.onLost = () => reject(new Error('lost'));
    if (!socket.ping(payload)) reject(new Error(`${socket.machine.state}: cannot ask`));
  });
}

const drops = (name: string) => kernel.dropReasons().find((reason) => reason.name === name)?.count;

beforeEach(async () => {
  kernel = new Kernel({ world: new World({ clock: 'virtual' }) });
  await kernel.load(SkeletonPlugin);
});

describe('skeleton', () => {
  test('brings back what was sent', async () => {
    expect(await echo(open(kernel))).toEqual(payload);
  });

  test('says what was lost, as soon as its setting says', async () => {
    kernel.sysctl.set('net.skeleton.timeout_ms', 50);
    const lost = expect(echo(open(kernel, false))).rejects.toThrow('lost');
    await kernel.world.advance(50_000);
    await lost;
  });

  test('drops what it cannot use, with a reason', async () => {
    const late: Uint8Array[] = [];
    const socket = kernel.port(SkeletonEcho).current.open(me, (bytes) => late.push(bytes));
    socket.ping(payload);
    expect(receive(kernel, Uint8Array.of(9, 9))).toBe(true);
    const request = parse(late[0]!)!;
    expect(receive(kernel, emit({ ...request, type: 'reply', sequence: 77 }))).toBe(true);
    expect(receive(kernel, emit({ ...request, type: 'reply', connection: request.connection ^ 1 }))).toBe(false);
    expect([drops('skeleton.malformed'), drops('skeleton.unexpected')]).toEqual([1, 1]);
  });

  test('lets nobody new in while it leaves, and waits for those inside, who go on', async () => {
    const socket = open(kernel);
    const unload = kernel.unload('skeleton');
    expect(() => open(kernel)).toThrow(/ESHUTDOWN.*skeleton#1 is leaving/);
    expect(kernel.holders('skeleton')).toMatchObject([{ kind: 'connection', owner: 'me', place: 'skeleton.open' }]);
    expect(await echo(socket)).toEqual(payload);
    socket.close();
    expect(await unload).toMatchObject({ outcome: 'gone', faults: [], leaks: [] });
  });
});

/** Users, for the compliance kit: it tries the module's whole life under them. */
async function traffic([kernel]: readonly Kernel[]): Promise<Traffic> {
  const sockets = [open(kernel!), open(kernel!)];
  return {
    exchange: async () => (await Promise.all(sockets.map(echo))).reduce((sum, bytes) => sum + bytes.length, 0),
    openAnother: async () => {
      sockets.push(open(kernel!));
    },
    close: async () => {
      for (const socket of sockets) if (socket.machine.state !== 'closed') socket.close();
    },
  };
}

test.each(complianceChecks({ source: SkeletonPlugin, traffic }))('compliance: $name', async ({ run }) => {
  await run();
});
