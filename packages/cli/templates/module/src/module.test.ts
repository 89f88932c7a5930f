import type { ModuleContext, Notice, SoftnetModule } from '@softnet/contract';
import { defineService, Module } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import type { Traffic } from '@softnet/testkit';
import { complianceChecks, WireTrace } from '@softnet/testkit';
import { beforeEach, describe, expect, test } from 'vitest';
import type { SkeletonSocket, SkeletonUser } from './index.ts';
import SkeletonPlugin, { SkeletonEcho, SkeletonInput } from './index.ts';
import { emit, parse } from './wire.ts';

const payload = Uint8Array.of(1, 2, 3);
/** As long as a packet is on its way. */
const WIRE_US = 3000;

/** The other end of the wire: echoes. It is a module, since those have timers of the kernel. */
interface FarEnd {
  echo(bytes: Uint8Array): void;
}
const FarEnd = defineService<FarEnd>({ name: 'SkeletonFarEnd', version: '1.0.0' });

@Module({ name: 'far-end', version: '1.0.0', provides: [FarEnd] })
class FarEndModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const inputs = ctx.contributions(SkeletonInput);
    const deliver = (bytes: Uint8Array) => inputs.items.some((input) => input.receive(bytes));
    const echo = (bytes: Uint8Array) => {
      const request = parse(bytes);
      if (request !== undefined) ctx.timer(deliver, emit({ ...request, type: 'reply' }), 'far-end.echo').arm(2 * WIRE_US);
    };
    ctx.corridor(FarEnd, { echo });
  }
}

/** Somebody with a connection. */
class Caller implements SkeletonUser {
  readonly name = 'caller';
  readonly transmit: (bytes: Uint8Array) => void;
  socket: SkeletonSocket;
  onReply: (bytes: Uint8Array) => void = () => undefined;
  onLost: () => void = () => undefined;

  constructor(kernel: Kernel, transmit: (bytes: Uint8Array) => void) {
    this.transmit = transmit;
    this.socket = kernel.port(SkeletonEcho).current.open(this);
  }

  /** After a hand-over the connection is another object. */
  notice({ sort, object }: Notice): void {
    if (sort === 'moved') this.socket = object as SkeletonSocket;
  }

  /** Resolves with what comes back. */
  echo(): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.onReply = (bytes) => (bytes.join() === payload.join() ? resolve(bytes) : reject(new Error(`got ${bytes.join()}`)));
      this.onLost = () => reject(new Error('lost'));
      if (!this.socket.ping(payload)) reject(new Error(`${this.socket.machine.state}: cannot ask`));
    });
  }
}

describe('skeleton', () => {
  let kernel: Kernel;
  const open = () => new Caller(kernel, (bytes) => kernel.port(FarEnd).current.echo(bytes));
  const receive = (bytes: Uint8Array) => kernel.contributions(SkeletonInput).items.some((input) => input.receive(bytes));
  const drops = (name: string) => kernel.dropReasons().find((reason) => reason.name === name)?.count;

  beforeEach(async () => {
    kernel = new Kernel({ world: new World({ clock: 'virtual' }) });
    await kernel.load(FarEndModule);
    await kernel.load(SkeletonPlugin);
  });

  test('brings back what was sent', async () => {
    expect(await kernel.world.run(open().echo())).toEqual(payload);
    expect(kernel.world.nowUs).toBe(2 * WIRE_US);
  });

  test('says what was lost, as soon as its setting says', async () => {
    kernel.sysctl.set('net.skeleton.timeout_ms', 50);
    const silent = new Caller(kernel, () => undefined);
    await expect(kernel.world.run(silent.echo())).rejects.toThrow('lost');
    expect(kernel.world.nowUs).toBe(50_000);
  });

  test('drops what it cannot use, with a reason', () => {
    const sent: Uint8Array[] = [];
    new Caller(kernel, (bytes) => sent.push(bytes)).socket.ping(payload);
    expect(receive(Uint8Array.of(9, 9))).toBe(true);
    const request = parse(sent[0]!)!;
    expect(receive(emit({ ...request, type: 'reply', sequence: 77 }))).toBe(true);
    expect(receive(emit({ ...request, type: 'reply', connection: request.connection ^ 1 }))).toBe(false);
    expect([drops('skeleton.malformed'), drops('skeleton.unexpected')]).toEqual([1, 1]);
  });

  test('lets nobody new in while it leaves, and waits for those inside, who go on', async () => {
    const caller = open();
    const unload = kernel.unload('skeleton');
    expect(() => open()).toThrow(/ESHUTDOWN.*skeleton#1 is leaving/);
    expect(kernel.holders('skeleton')).toMatchObject([{ kind: 'connection', owner: 'caller', place: 'skeleton.open' }]);
    expect(await kernel.world.run(caller.echo())).toEqual(payload);
    caller.socket.close();
    expect(await unload).toMatchObject({ outcome: 'gone', faults: [], leaks: [] });
  });
});

/** Users, for the compliance kit: it tries the module's whole life under them. */
async function traffic([kernel]: readonly Kernel[]): Promise<Traffic> {
  const wire = new WireTrace();
  const farEnd = kernel!.port(FarEnd);
  const open = () =>
    new Caller(kernel!, (bytes) => {
      wire.add(bytes, kernel!.clock.nowUs);
      farEnd.current.echo(bytes);
    });
  const callers = [open(), open()];
  return {
    exchange: async () => (await Promise.all(callers.map((caller) => caller.echo()))).reduce((sum, bytes) => sum + bytes.length, 0),
    openAnother: async () => void callers.push(open()),
    close: async () => {
      for (const { socket } of callers) socket.close();
    },
    // Equal runs send equal packets at equal times.
    trace: () => wire.value,
  };
}

const checks = complianceChecks({ source: SkeletonPlugin, needs: [FarEndModule], traffic });
test.each(checks.map((check) => [check.name, check] as const))('compliance: %s', async (_name, { run }) => {
  await run();
});
