import type { ErrorReport, ModuleContext, Objects, Owner, Skb, SocketCalls, SockOps, SoftnetModule } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  ERRNO,
  FlowKey,
  Module,
  NetError,
  OptionLevel,
  one,
  SkbPool,
  SO,
  SOCK_FLAG,
  SOCK_TYPE,
  SOL,
  SockCommon,
  SocketDemux,
  SocketPorts,
  SocketProtocol,
  Sockets,
} from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { NetdevModule } from '@softnet/netdev';
import { LoopbackModule } from '@softnet/nic-driver';
import { SkbModule } from '@softnet/skb';
import { SocketModule } from '@softnet/socket';
import { complianceChecks } from '@softnet/testkit';
import { describe, expect, test } from 'vitest';

const FAMILY = 40;

/** A protocol of a family of its own, of which the test sees all that the demux gives it. */
class Notes implements SockOps {
  readonly name = 'notes';
  readonly type = SOCK_TYPE.DGRAM;
  readonly calls: SocketCalls | null = null;
  readonly got: [SockCommon, Skb, number][] = [];
  onInput: (sock: SockCommon) => void = () => {};
  ctx!: ModuleContext;
  sockets!: Objects<SockCommon>;

  input(sock: SockCommon, skb: Skb): void {
    this.got.push([sock, skb, this.ctx.current.id]);
    this.onInput(sock);
  }
  error(_sock: SockCommon, _skb: Skb | null, _report: ErrorReport): void {}
  released(): void {}
}

function notesModule(notes: Notes): new () => SoftnetModule {
  class NotesModule implements SoftnetModule {
    start(ctx: ModuleContext): void {
      notes.ctx = ctx;
      notes.sockets = ctx.objects<SockCommon>('socket', { drain: 'wait', close: (sock) => notes.sockets.release(sock) });
      const open = (family: number, owner: Owner): SockCommon => {
        const sock = Object.assign(new SockCommon(notes), { family, protocol: 200 });
        notes.sockets.hold(sock, owner, 'notes.open');
        return sock;
      };
      ctx.contribute(SocketProtocol, { name: 'notes', family: FAMILY, type: SOCK_TYPE.DGRAM, protocol: 200, usual: true, open }, 'door');
    }
  }
  Module({ name: 'notes', version: '1.0.0', requires: [one(SocketDemux), one(SocketPorts)], provides: [SocketProtocol] })(NotesModule);
  return NotesModule;
}

async function boot() {
  const world = new World({ clock: 'virtual', seed: 2 });
  const kernel = new Kernel({ world, name: 'k' });
  const notes = new Notes();
  for (const module of [SkbModule, NetdevModule, LoopbackModule, SocketModule, notesModule(notes)]) await world.run(kernel.load(module));
  await world.advance(1000);
  const demux = kernel.port(SocketDemux).current;
  const ports = kernel.port(SocketPorts).current;
  const open = (over: Partial<SockCommon> = {}): SockCommon =>
    Object.assign(kernel.port(Sockets).current.open(FAMILY, SOCK_TYPE.DGRAM, 0, { name: 'test' }), over);
  const level = kernel.contributions(OptionLevel).items.find((item) => item.level === SOL.SOCKET)!;
  return { world, kernel, notes, demux, ports, open, level, pool: kernel.port(SkbPool).current };
}

const key = (over: Partial<FlowKey> = {}): FlowKey => Object.assign(new FlowKey(), { protocol: 200, localPort: 7, local0: 1, ...over });

function int(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

describe('the demux', () => {
  test('gives a packet to its socket, as its owner; a miss leaves it as it was; a port is had until it is given back', async () => {
    const { notes, demux, ports, open, pool } = await boot();
    const [one, two] = [open({ local0: 1, localPort: 7 }), open({ local0: 1, localPort: 7 })];
    expect([ports.bind(one), ports.bind(two)]).toEqual([0, -ERRNO.EADDRINUSE]);
    const skb = pool.alloc(0, 10)!;
    expect(demux.deliver(skb, key()), 'bound, and not inserted').toBe(false);
    demux.insert(one);
    expect(demux.deliver(skb, key())).toBe(true);
    expect(notes.got).toEqual([[one, skb, notes.ctx.owner]]);
    expect([demux.find(key()), demux.find(key({ localPort: 8 }))]).toEqual([one, null]);
    demux.remove(one);
    demux.remove(one);
    expect([demux.deliver(skb, key()), ports.bind(two)]).toEqual([false, 0]);
    pool.release(skb);
  });

  test('multicast: to each a clone, also when one closes another on the way', async () => {
    const { notes, demux, ports, open, pool } = await boot();
    const group = { local0: 0xff020000 | 0, local3: 1 };
    const socks = [1, 2, 3].map(() => open({ ...group, localPort: 7, flags: SOCK_FLAG.REUSEADDR }));
    for (const sock of socks) {
      expect(ports.bind(sock)).toBe(0);
      demux.insert(sock);
    }
    const send = () => {
      const skb = pool.alloc(0, 10)!;
      expect(demux.deliver(skb, key(group))).toBe(true);
      const got = notes.got.splice(0);
      for (const [, each] of got) pool.release(each);
      return new Set(got.map(([sock]) => sock));
    };
    expect(send()).toEqual(new Set(socks));
    notes.onInput = (sock) => {
      for (const other of socks) if (other !== sock) demux.remove(other);
    };
    expect(send().size).toBe(1);
    const skb = pool.alloc(0, 10)!;
    for (const sock of socks) demux.remove(sock);
    expect(demux.deliver(skb, key(group))).toBe(false);
    pool.release(skb);
  });

  test('finds what is inserted while its protocol leaves, and nothing of one that was torn off', async () => {
    const { world, kernel, demux, ports, open } = await boot();
    const sock = open({ local0: 1, localPort: 7 });
    ports.bind(sock);
    demux.insert(sock);
    const unload = kernel.unload('notes', { force: true });
    expect((await world.run(unload)).outcome).toBe('gone');
    expect(demux.find(key()), 'its close forgot to take it out').toBeNull();
    expect((await world.run(kernel.shutdown())).leaks).toEqual([]);
  });
});

describe('the options of every socket', () => {
  const get = (level: OptionLevel, sock: SockCommon, name: number): number => {
    const value = new Uint8Array(4);
    const count = level.get(sock, name, value);
    return count < 0 ? count : new DataView(value.buffer).getInt32(0, true);
  };

  test('flags, numbers, and what can only be asked for', async () => {
    const { open, level } = await boot();
    const sock = open({ error: 111 });
    for (const [name, flag] of [
      [SO.REUSEADDR, SOCK_FLAG.REUSEADDR],
      [SO.REUSEPORT, SOCK_FLAG.REUSEPORT],
      [SO.BROADCAST, SOCK_FLAG.BROADCAST],
    ] as const) {
      expect([get(level, sock, name), level.set(sock, name, int(5)), get(level, sock, name), sock.flags & flag]).toEqual([0, 0, 1, flag]);
      expect([level.set(sock, name, int(0)), get(level, sock, name)]).toEqual([0, 0]);
    }
    for (const [name, value] of [
      [SO.MARK, -5],
      [SO.PRIORITY, 6],
    ] as const) {
      expect([get(level, sock, name), level.set(sock, name, int(value)), get(level, sock, name)]).toEqual([0, 0, value]);
    }
    const asked = [SO.TYPE, SO.PROTOCOL, SO.DOMAIN, SO.ERROR, SO.ERROR, SO.ACCEPTCONN].map((name) => get(level, sock, name));
    expect(asked).toEqual([SOCK_TYPE.DGRAM, 200, FAMILY, 111, 0, 0]);
    expect([level.set(sock, SO.TYPE, int(1)), level.set(sock, 999, int(1)), get(level, sock, 999)]).toEqual([-92, -92, -92]);
    // As in Linux: who has less room is given less.
    expect([level.set(sock, SO.MARK, new Uint8Array(3)), level.get(sock, SO.MARK, new Uint8Array(3))]).toEqual([-22, 3]);
  });

  test('buffers are doubled, within bounds that an administrator sets', async () => {
    const { kernel, open, level } = await boot();
    const sock = open();
    const sizes = (name: number, ...values: number[]) =>
      values.map((value) => [level.set(sock, name, int(value)), get(level, sock, name)][1]);
    expect([get(level, sock, SO.SNDBUF), ...sizes(SO.SNDBUF, 1, 10_000, 1e9, -1)]).toEqual([212992, 4608, 20_000, 425984, 425984]);
    kernel.sysctl.set('net.core.rmem_max', 5000);
    expect([get(level, sock, SO.RCVBUF), ...sizes(SO.RCVBUF, 1, 2000, 1e9)]).toEqual([212992, 2304, 4000, 10_000]);
  });

  test('an interface by name or number', async () => {
    const { open, level } = await boot();
    const sock = open();
    const name = (text: string) => new TextEncoder().encode(text);
    const value = new Uint8Array(16);
    expect(level.get(sock, SO.BINDTODEVICE, value)).toBe(0);
    expect([level.set(sock, SO.BINDTODEVICE, name('lo\0??')), sock.ifindex > 0]).toEqual([0, true]);
    expect([level.get(sock, SO.BINDTODEVICE, value), ...value.subarray(0, 3)]).toEqual([3, 108, 111, 0]);
    expect(level.get(sock, SO.BINDTODEVICE, new Uint8Array(15))).toBe(-ERRNO.EINVAL);
    expect(level.set(sock, SO.BINDTODEVICE, name('eth7'))).toBe(-ERRNO.ENODEV);
    expect(level.set(sock, SO.BINDTODEVICE, name('sixteen-and-more!'))).toBe(-ERRNO.ENODEV);
    expect([level.set(sock, SO.BINDTODEVICE, name('')), sock.ifindex]).toEqual([0, 0]);
    expect([level.set(sock, SO.BINDTOIFINDEX, int(1)), get(level, sock, SO.BINDTOIFINDEX)]).toEqual([0, 1]);
    expect([level.set(sock, SO.BINDTOIFINDEX, int(99)), level.set(sock, SO.BINDTOIFINDEX, int(-1)), sock.ifindex]).toEqual([
      0,
      -ERRNO.EINVAL,
      99,
    ]);
  });
});

test('who is bound to an interface leaves those with whom he shared; who is in no table is put in none', async () => {
  const { demux, open, level } = await boot();
  const socks = [1, 2, 3].map(() => open({ local0: 1, localPort: 7, flags: SOCK_FLAG.REUSEPORT }));
  const [one, other, out] = socks as [SockCommon, SockCommon, SockCommon];
  for (const sock of [one, other]) demux.insert(sock);
  for (const sock of [other, out]) expect(level.set(sock, SO.BINDTOIFINDEX, int(1))).toBe(0);
  const found = (ifindex: number) => new Set(Array.from({ length: 50 }, (_, remotePort) => demux.find(key({ remotePort, ifindex }))));
  expect([found(1), found(2), out.hash]).toEqual([new Set([other]), new Set([one]), 0]);
  expect(level.set(other, SO.BINDTOIFINDEX, int(0))).toBe(0);
  expect(found(1)).toEqual(new Set([one, other]));
});

test('opening a socket of a family of its own, and what is said where there is none', async () => {
  const { kernel, open } = await boot();
  expect(open().family).toBe(FAMILY);
  const door = kernel.port(Sockets).current;
  const refusal = (family: number, type: number, protocol: number): string => {
    try {
      door.open(family, type, protocol, { name: 'test' });
    } catch (error) {
      return (error as NetError).message;
    }
    return '';
  };
  expect(refusal(FAMILY, SOCK_TYPE.STREAM, 0)).toMatch(/^ESOCKTNOSUPPORT: .*load one$/);
  expect(refusal(FAMILY, SOCK_TYPE.DGRAM, 1)).toMatch(/^EPROTONOSUPPORT: .*notes \(200\)/);
  expect(refusal(ADDRESS_FAMILY.INET, SOCK_TYPE.DGRAM, 0)).toMatch(/^EAFNOSUPPORT: /);
});

test.each(['manifest', 'load', 'unload at rest', 'a start that fails leaves nothing'])('complies: %s', async (name) => {
  const traffic = () => Promise.reject(new NetError('EOPNOTSUPP', 'its objects are its dependents’'));
  await complianceChecks({ source: SocketModule, traffic })
    .find((check) => check.name === name)!
    .run();
});

test('is not replaced over sockets whose protocol says nothing of them: they would be lost', async () => {
  const { world, kernel, demux, ports, open } = await boot();
  const sock = open({ local0: 1, localPort: 7 });
  expect(ports.bind(sock)).toBe(0);
  demux.insert(sock);
  await expect(world.run(kernel.replace('socket', SocketModule))).rejects.toThrow(
    /EBUSY: 1 sockets are in the flow table whose protocol does not contribute a SocketHolder/,
  );
  expect(demux.find(key())).toBe(sock);
  demux.remove(sock);
  await world.run(kernel.replace('socket', SocketModule));
  // 2 was the one that was refused.
  expect(kernel.module('socket')).toMatchObject({ generation: 3, state: 'live' });
});
