import { CubicModule, RenoModule } from '@softnet/congestion';
import type { CongestionControl as Control, ModuleContext, Objects, Owner, SoftnetModule } from '@softnet/contract';
import { AckSample, CongestionControl, CongestionState, congestionControlOf, defineService, Held, Module, some } from '@softnet/contract';
import { Kernel, World } from '@softnet/kernel';
import { beforeEach, expect, test } from 'vitest';

class Connection extends Held {
  state!: CongestionState;
}

interface Senders {
  open(owner: Owner, control: string): Connection | null;
}
const Senders = defineService<Senders>({ name: 'Senders', version: '1.0.0' });

/** What TCP and CCID2 do with a control, and no more. */
@Module({ name: 'senders', version: '1.0.0', requires: [some(CongestionControl)], provides: [Senders] })
class SendersModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const controls = ctx.contributions(CongestionControl);
    const connections: Objects<Connection> = ctx.objects<Connection>('connection', {
      drain: 'wait',
      close: (connection) => connections.release(connection),
      derivedMoved: (connection, _, now) => {
        connection.state = now as CongestionState;
      },
    });
    ctx.door(Senders, {
      open: (owner, name) => {
        const control = congestionControlOf(controls.items, name);
        return control === null ? null : open(connections, control, owner);
      },
    });
  }
}

function open(connections: Objects<Connection>, control: Control, owner: Owner): Connection {
  const connection = new Connection();
  connections.hold(connection, owner, 'senders.open');
  connection.state = new CongestionState(control);
  control.uses.derive(connection.state, connection, 'senders.open');
  control.begin(connection.state);
  return connection;
}

let kernel: Kernel;
beforeEach(async () => {
  kernel = new Kernel({ world: new World({ clock: 'virtual', seed: 1 }), name: 'a' });
  for (const module of [RenoModule, CubicModule, SendersModule]) await kernel.load(module);
});

const connect = (control: string): Connection | null => kernel.port(Senders).current.open({ name: 'user' }, control);

test('by name; one that leaves takes nobody new, and goes when its last connection has gone', async () => {
  expect([connect('reno'), connect('cubic'), connect('bbr')].map((each) => each?.state.control.name)).toEqual(['reno', 'cubic', undefined]);
  const cubics = kernel.holders('cubic');
  expect(cubics).toMatchObject([{ kind: 'congestion-state', sort: 'derived', owner: 'user' }]);
  const unload = kernel.unload('cubic');
  await kernel.world.advance(0);
  expect(connect('cubic')).toBe(null);
  expect(connect('reno')).not.toBe(null);
  await kernel.abort('cubic');
  expect((await unload).outcome).toBe('live');
  expect(connect('cubic')).not.toBe(null);
});

test('by force its connections are closed, as their own module does it', async () => {
  connect('cubic');
  const unload = kernel.unload('cubic', { force: true });
  expect(await kernel.world.run(unload)).toMatchObject({ outcome: 'gone', broken: [{ kind: 'connection', owner: 'user' }], faults: [] });
  expect(kernel.holders('senders')).toEqual([]);
});

test.each([
  ['reno', RenoModule],
  ['cubic', CubicModule],
])('%s is replaced under a connection, which goes on as if nothing were', async (name, module) => {
  const connection = connect(name)!;
  const before = connection.state;
  const twin = connect(name)!.state;
  const ack = (state: CongestionState, nowMs: number): number => {
    Object.assign(state, { isCwndLimited: true, srttUs: 50_000 });
    for (let i = 0; i < 500; i++) {
      state.control.increase(state, Object.assign(new AckSample(), { acked: 2, nowMs: nowMs + 10 * i }));
      if (i % 200 === 50) state.cwnd = state.ssthresh = state.control.ssthresh(state);
    }
    return state.cwnd;
  };
  expect(ack(before, 0)).toBe(ack(twin, 0));
  const { control } = before;
  const kept = { cwnd: before.cwnd, ssthresh: before.ssthresh, count: before.cwndCount, ext: structuredClone(control.freeze?.(before)) };
  await kernel.world.run(kernel.replace(name, module));
  const { state } = connection;
  expect(state).not.toBe(before);
  expect(state.control).not.toBe(control);
  expect({ ...{ cwnd: state.cwnd, ssthresh: state.ssthresh, count: state.cwndCount }, ext: state.control.freeze?.(state) }).toEqual(kept);
  expect(ack(state, 5000)).toBe(ack(Object.assign(twin, { control }), 5000));
});

test('everything goes, and nothing is left', async () => {
  connect('reno');
  const unload = kernel.unload('reno', { force: true });
  expect(await kernel.world.run(unload)).toMatchObject({ outcome: 'gone', faults: [] });
  for (const name of ['senders', 'cubic'])
    expect(await kernel.world.run(kernel.unload(name))).toMatchObject({ outcome: 'gone', faults: [] });
});
