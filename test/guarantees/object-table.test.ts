import type { Owner } from '@softnet/contract';
import type { Kernel, Unload, UnloadOptions, UnloadReport } from '@softnet/kernel';
import { describe, expect, test } from 'vitest';
import { Traveller, virtualKernel } from './inn.ts';
import { readTable } from './read-table.ts';
import type { Device, Sock } from './town.ts';
import { Addresses6, DeviceDoor, DeviceModule, Layer, Layer4, Layer6, Link, Sockets, Transport, TransportModule } from './town.ts';

/** What a cell of the table promises, as a test. */
type Cell = () => Promise<void>;
type Row = Readonly<Record<'at stage 1' | 'what drains it' | 'by force' | 'on abort', Cell>>;

class Town {
  readonly kernel: Kernel = virtualKernel();
  readonly ann = new Traveller('ann');
  readonly inside = this.kernel.port(Transport);
  readonly sockets = this.kernel.port(Sockets);
  readonly link = this.kernel.port(Link);

  static async build(): Promise<Town> {
    const town = new Town();
    for (const source of [DeviceModule, Layer4, Layer6, TransportModule]) await town.kernel.load(source);
    return town;
  }

  device(owner: Owner = this.ann): Device {
    return this.kernel.port(DeviceDoor).current.create(owner);
  }

  state(name: string): string {
    return this.kernel.module(name)?.state ?? 'gone';
  }

  /** Begins an unload, and lets everything happen that needs no time. */
  async leave(name: string, options: UnloadOptions = {}): Promise<void> {
    this.#unload = this.kernel.unload(name, options);
    await this.kernel.world.advance(0);
  }

  /** How the last unload ended. */
  report(): Promise<UnloadReport> {
    return this.kernel.world.run(this.#unload as Unload);
  }

  /** A whole unload that is called off. */
  async abort(name: string, options: UnloadOptions = {}): Promise<void> {
    await this.leave(name, options);
    expect(this.state(name)).toBe('draining');
    await this.kernel.abort(name);
    expect(this.state(name)).toBe('live');
  }

  #unload: Unload | undefined;
}

const ROWS: Readonly<Record<string, (town: Town) => Row>> = {
  listener: (town) => {
    const { kernel, inside, ann } = town;
    const listener = town.sockets.current.listen(ann, [4]);
    return {
      'at stage 1': async () => {
        town.sockets.current.connect(ann, 4);
        await town.leave('transport');
        expect(inside.current.incoming(listener, 4)).toBeNull();
        expect(listener.holdNext).not.toBeNull();
      },
      'what drains it': async () => {
        await town.leave('transport');
        expect((await town.report()).outcome).toBe('gone');
        expect(listener.closedBy?.code).toBe('ESHUTDOWN');
        expect(ann.heard).toEqual(['leaving', 'closed']);
      },
      'by force': async () => {
        await town.leave('transport', { force: true });
        expect(listener.closedBy?.code).toBe('ESHUTDOWN');
        expect(kernel.holders()).toEqual([]);
      },
      'on abort': async () => {
        town.sockets.current.connect(ann, 4);
        await town.abort('transport');
        expect(inside.current.incoming(listener, 4)).not.toBeNull();
      },
    };
  },
  'unaccepted child of a listener': (town) => {
    const { inside, ann } = town;
    const listener = town.sockets.current.listen(ann, [4]);
    const child = inside.current.incoming(listener, 4) as Sock;
    return {
      'at stage 1': async () => {
        await town.leave('transport');
        expect(inside.current.accept(listener, ann)).toBe(child);
        inside.current.send(child);
      },
      'what drains it': async () => {
        await town.leave('transport');
        expect(town.kernel.holders('transport')).toMatchObject([{ description: 'connection', owner: 'ann' }]);
        inside.current.close(listener);
        expect(child.resetSent).toBe(true);
        expect((await town.report()).outcome).toBe('gone');
      },
      'by force': async () => {
        await town.leave('transport', { force: true });
        expect(child).toMatchObject({ resetSent: true, closedBy: { code: 'ECONNABORTED' } });
      },
      'on abort': async () => {
        await town.abort('transport');
        expect(inside.current.accept(listener, ann)).toBe(child);
      },
    };
  },
  'dual-stack listener': (town) => {
    const { inside, ann } = town;
    const listener = town.sockets.current.listen(ann, [4, 6]);
    return {
      'at stage 1': async () => {
        town.sockets.current.connect(ann, 6);
        await town.leave('layer6');
        expect(inside.current.incoming(listener, 6)).toBeNull();
        expect(inside.current.incoming(listener, 4)).not.toBeNull();
      },
      'what drains it': async () => {
        await town.leave('layer6');
        expect((await town.report()).outcome).toBe('gone');
        expect(listener.halves.map(({ holdNext }) => holdNext !== null)).toEqual([true, false]);
        expect(inside.current.incoming(listener, 4)).not.toBeNull();
      },
      'by force': async () => {
        await town.leave('layer6', { force: true });
        expect(town.state('layer6')).toBe('gone');
        expect(listener.closedBy).toBeNull();
        expect(inside.current.incoming(listener, 4)).not.toBeNull();
      },
      'on abort': async () => {
        town.sockets.current.connect(ann, 6);
        await town.abort('layer6');
        expect(inside.current.incoming(listener, 6)).not.toBeNull();
      },
    };
  },
  'unconnected UDP socket': (town) => {
    const { inside, ann } = town;
    const sock = town.sockets.current.datagram(ann, 6);
    return {
      'at stage 1': async () => {
        await town.leave('transport');
        inside.current.send(sock);
        expect(ann.heard).toEqual(['leaving']);
      },
      'what drains it': async () => {
        await town.leave('transport');
        inside.current.close(sock);
        expect((await town.report()).outcome).toBe('gone');
      },
      'by force': async () => {
        await town.leave('transport', { force: true });
        expect(sock).toMatchObject({ resetSent: false, closedBy: { code: 'ECONNABORTED' } });
        expect(ann.heard).toEqual(['leaving', 'closed']);
      },
      'on abort': async () => {
        await town.abort('transport');
        inside.current.send(sock);
        expect(ann.heard).toEqual(['leaving', 'back']);
      },
    };
  },
  'TIME-WAIT': (town) => {
    const { inside, ann, kernel } = town;
    const connection = town.sockets.current.connect(ann, 4);
    const close = (): Sock => inside.current.close(connection) as Sock;
    return {
      'at stage 1': async () => {
        await town.leave('transport');
        inside.current.send(close());
        expect(kernel.holders('transport')).toMatchObject([{ description: 'time-wait', owner: 'ann', sort: 'root' }]);
      },
      'what drains it': async () => {
        await town.leave('transport');
        close();
        const before = kernel.clock.nowUs;
        expect((await town.report()).outcome).toBe('gone');
        expect(kernel.clock.nowUs - before).toBe(60_000_000);
      },
      'by force': async () => {
        const timeWait = close();
        await town.leave('transport', { force: true });
        expect(town.state('transport')).toBe('gone');
        expect(timeWait).toMatchObject({ resetSent: false, closedBy: { code: 'ECONNABORTED' } });
      },
      'on abort': async () => {
        const timeWait = close();
        await town.abort('transport');
        inside.current.send(timeWait);
      },
    };
  },
  'cached dst': (town) => {
    const { inside, ann, kernel } = town;
    const sock = town.sockets.current.connect(ann, 6);
    return {
      'at stage 1': async () => {
        await town.leave('layer6');
        const [, layer6] = kernel.contributions(Layer).items;
        expect(layer6?.route(sock, null).ended).toBe(false);
        expect(kernel.holders('layer6').map(({ sort, owner }) => [sort, owner])).toEqual([
          ['derived', 'ann'],
          ['derived', 'ann'],
        ]);
      },
      'what drains it': async () => {
        await town.leave('layer6');
        inside.current.close(sock);
        expect(sock.dst?.ended).toBe(true);
        expect((await town.report()).outcome).toBe('gone');
        expect(town.state('transport')).toBe('live');
      },
      'by force': async () => {
        await town.leave('layer6', { force: true });
        expect(sock).toMatchObject({ resetSent: true, closedBy: { code: 'ECONNABORTED' } });
        expect((await town.report()).broken).toMatchObject([{ module: 'transport#1', kind: 'sock', owner: 'ann' }]);
      },
      'on abort': async () => {
        await town.abort('layer6');
        expect(sock.dst?.ended).toBe(false);
      },
    };
  },
  neighbour: (town) => {
    const { inside, ann, kernel } = town;
    const sock = town.sockets.current.connect(ann, 6);
    const count = (): number | undefined => kernel.module('layer6')?.usage.objects.neighbour;
    return {
      'at stage 1': async () => {
        await town.leave('layer6');
        kernel.contributions(Layer).items[1]?.route(sock, null);
        expect(count()).toBe(2);
      },
      'what drains it': async () => {
        await town.leave('layer6');
        expect(kernel.holders('layer6').map(({ kind }) => kind)).toEqual(['dst-use']);
        inside.current.close(sock);
        expect(await town.report()).toMatchObject({ outcome: 'gone', leaks: [] });
      },
      'by force': async () => {
        await town.leave('layer6', { force: true });
        expect(await town.report()).toMatchObject({ outcome: 'gone', leaks: [], broken: [{ kind: 'sock' }] });
      },
      'on abort': async () => {
        await town.abort('layer6');
        expect(count()).toBe(1);
      },
    };
  },
  address: (town) => {
    const { inside, ann, kernel } = town;
    const address = kernel.port(Addresses6).current.add();
    const sock = town.sockets.current.connect(ann, 6);
    return {
      'at stage 1': async () => {
        await town.leave('layer6');
        expect(address.holdNext).not.toBeNull();
        expect(() => kernel.port(Addresses6).current.add()).toThrow(/EAFNOSUPPORT: layer6#1 is leaving/);
      },
      'what drains it': async () => {
        await town.leave('layer6');
        inside.current.close(sock);
        expect(await town.report()).toMatchObject({ outcome: 'gone', leaks: [] });
        expect(address.holdNext).toBeNull();
      },
      'by force': async () => {
        await town.leave('layer6', { force: true });
        expect(address.holdNext).toBeNull();
      },
      'on abort': async () => {
        await town.abort('layer6');
        expect(address.holdNext).not.toBeNull();
        kernel.port(Addresses6).current.add();
      },
    };
  },
  'skb on a qdisc': (town) => {
    const { link, kernel } = town;
    const all = { cascade: true };
    link.current.queued.add(3);
    return {
      'at stage 1': async () => {
        await town.leave('device', all);
        expect(kernel.holders('device')).toMatchObject([{ sort: 'tally', kind: 'skb', count: 3, place: 'device.qdisc' }]);
        link.current.queued.sub(1);
        expect(town.state('device')).toBe('draining');
      },
      'what drains it': async () => {
        await town.leave('device', all);
        link.current.queued.sub(3);
        expect((await town.report()).outcome).toBe('gone');
      },
      'by force': async () => {
        await town.leave('device', { ...all, force: true });
        const report = await town.report();
        expect(report.broken).toMatchObject([{ kind: 'skb', count: 3 }]);
        expect(report.faults).toMatchObject([
          { module: 'device#1', hook: 'close', message: expect.stringContaining('3 skb at device.qdisc never came back') },
        ]);
        expect(kernel.clock.nowUs).toBe(5_000_000);
      },
      'on abort': async () => {
        await town.abort('device', all);
        link.current.queued.sub(3);
      },
    };
  },
  timer: (town) => {
    const { inside, ann, kernel } = town;
    const sock = town.sockets.current.connect(ann, 4);
    return {
      'at stage 1': async () => {
        await town.leave('transport');
        await kernel.world.advance(2000);
        expect(sock.fired).toBe(1);
      },
      'what drains it': async () => {
        await town.leave('transport');
        expect(kernel.holders('transport')).toHaveLength(1);
        inside.current.close(sock);
        expect(sock.timer?.armed).toBe(false);
      },
      'by force': async () => {
        await town.leave('transport', { force: true });
        expect(sock.timer?.armed).toBe(false);
        expect(await town.report()).toMatchObject({ outcome: 'gone', leaks: [] });
      },
      'on abort': async () => {
        await town.abort('transport');
        await kernel.world.advance(2000);
        expect(sock.fired).toBe(1);
      },
    };
  },
  device: (town) => {
    const { inside, ann, kernel } = town;
    const device = town.device();
    const sock = town.sockets.current.connect(ann, 4, device);
    const all = { cascade: true };
    return {
      'at stage 1': async () => {
        await town.leave('device', all);
        expect(device.carrier).toBe(true);
        expect(() => town.device()).toThrow(/device#1 is leaving/);
      },
      'what drains it': async () => {
        await town.leave('device', all);
        expect(kernel.holders('device')).toMatchObject([{ kind: 'device-use', sort: 'derived', owner: 'ann' }]);
        (inside.current.close(sock) as Sock).timer?.armAt(0);
        expect((await town.report()).outcome).toBe('gone');
        expect(device.carrier).toBe(false);
      },
      'by force': async () => {
        await town.leave('device', { ...all, force: true });
        expect(sock).toMatchObject({ resetSent: true, closedBy: { code: 'ECONNABORTED' } });
        expect(device.carrier).toBe(false);
      },
      'on abort': async () => {
        await town.abort('device', all);
        expect(device.carrier).toBe(true);
        town.device();
      },
    };
  },
};

describe('the object table of docs/architecture.md: every cell', () => {
  const table = readTable('Object × what befalls it');
  test('the table has these rows', () => {
    expect(Object.keys(table)).toEqual(Object.keys(ROWS));
  });

  const cells = Object.entries(table).flatMap(([object, row]) =>
    Object.entries(row).map(([column, text]) => [object, column, text] as const),
  );
  test.each(cells)('%s, %s: %s', async (object, column) => {
    const town = await Town.build();
    const row = (ROWS[object] as (town: Town) => Row)(town);
    await (row[column as keyof Row] as () => Promise<void>)();
  });
});
