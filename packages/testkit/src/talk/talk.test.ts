import { expect, test } from 'vitest';
import { TestExchange } from '../exchange/module.ts';
import { TestLink } from '../link/module.ts';
import { twoHosts } from '../topology.ts';
import { BulkSender, serveEcho } from '../traffic.ts';
import { TalkModule } from './module.ts';
import type { TalkConnection } from './service.ts';

async function talking(seed = 1, loss = 0.05) {
  const hosts = await twoHosts({ seed, loss });
  const listener = hosts.talk(hosts.b).listen(80, { owner: 'server' });
  serveEcho(listener);
  const connection = hosts.talk(hosts.a).connect(2, 80, { owner: 'client' });
  await hosts.run(connection.opened);
  const sender = new BulkSender(connection, seed);
  return { ...hosts, listener, connection, sender };
}

test('drains: doors shut, the connection goes on, gone at its end', async () => {
  const { a, talk, run, connection, sender, world, dispose } = await talking();
  const notices: string[] = [];
  connection.onNotice = (notice) => notices.push(notice);
  const unload = a.unload('talk');
  expect(notices).toEqual(['leaving']);
  expect(() => talk(a).connect(2, 80)).toThrow(/talk#1 is leaving/);
  expect(() => talk(a).listen(81)).toThrow(/EPROTONOSUPPORT/);
  expect(a.holders('talk')).toMatchObject([{ kind: 'connection', owner: 'client', place: 'talk.connect' }]);
  expect(await run(sender.move(50_000))).toBe(50_000);
  connection.close();
  expect(await run(connection.closed)).toBeUndefined();
  expect(await run(unload)).toMatchObject({ outcome: 'gone', faults: [], leaks: [], broken: [] });
  expect(notices).toEqual(['leaving']);
  await world.advance(1_000_000);
  await dispose();
});

test('a parked listener is silent, and hears again after an abort', async () => {
  const { a, b, talk, run, world, connection, sender, dispose } = await talking();
  const unload = b.unload('talk');
  const other = talk(a).connect(2, 80);
  await world.advance(50_000);
  expect(other.state).toBe('hello-sent');
  await run(b.abort('talk'));
  expect(await run(unload)).toMatchObject({ outcome: 'live', reason: 'asked' });
  await run(other.opened);
  expect(await run(sender.move(5000))).toBe(5000);
  connection.close();
  expect(await run(connection.closed)).toBeUndefined();
  await dispose();
  expect(await other.closed).toMatchObject({ code: 'ECONNABORTED' });
});

test('the listener of a module that goes is closed with an error to its owner', async () => {
  const { b, run, listener, connection, dispose } = await talking();
  const refused = listener.closed;
  const report = await run(b.unload('talk', { force: true }));
  expect(report).toMatchObject({ outcome: 'gone', leaks: [], faults: [] });
  expect(report.broken).toMatchObject([{ kind: 'connection', owner: 'server' }]);
  expect(await refused).toMatchObject({ code: 'ESHUTDOWN' });
  expect(await run(connection.closed)).toMatchObject({ code: 'ECONNRESET' });
  await dispose();
});

test.each(['talk', 'test-exchange', 'test-link'])('%s is handed over in the midst of traffic, again and again', async (name) => {
  const source = { talk: TalkModule, 'test-exchange': TestExchange, 'test-link': TestLink }[name]!;
  const { a, b, run, world, talk, connection, sender, listener, dispose } = await talking(5);
  const moving = sender.move(200_000);
  for (let round = 0; round < 5; round++) {
    for (const host of [a, b]) {
      await world.advance(777);
      const report = await run(host.replace(name, source, { mode: 'handover' }));
      expect(report.mode).toBe('handover');
      expect(await run(report.drained, 10_000_000)).toMatchObject({ outcome: 'gone', faults: [], leaks: [], broken: [] });
    }
  }
  expect(await run(moving)).toBe(200_000);
  const second = talk(a).connect(2, 80);
  await run(second.opened);
  second.close();
  await run(second.closed);
  connection.close();
  expect(await run(connection.closed)).toBeUndefined();
  listener.close();
  await world.advance(2_000_000);
  expect([...a.holders(), ...b.holders()]).toEqual([]);
  expect([...a.faults, ...b.faults]).toEqual([]);
  await dispose();
});

test('replaced by draining: new work goes to generation 2, the old connection stays with generation 1', async () => {
  const { a, b, run, world, talk, connection, sender, dispose } = await talking();
  const report = await run(b.replace('talk', TalkModule, { mode: 'drain' }));
  expect(report).toMatchObject({ mode: 'drain', adopted: { listener: 1 } });
  expect(b.module('talk#1')?.state).toBe('draining');
  const second = talk(a).connect(2, 80);
  await run(second.opened);
  expect(b.holders('talk#2')).toHaveLength(1);
  expect(await run(sender.move(20_000))).toBe(20_000);
  connection.close();
  expect(await run(report.drained)).toMatchObject({ outcome: 'gone', faults: [], leaks: [] });
  await world.advance(1_000_000);
  await dispose();
});

test('unaccepted children wait, are accepted after a hand-over, and are reset with their listener', async () => {
  const hosts = await twoHosts({ seed: 3 });
  const { a, b, run, world, talk } = hosts;
  const listener = talk(b).listen(80, { backlog: 2 });
  const first = talk(a).connect(2, 80);
  const second = talk(a).connect(2, 80);
  await run(Promise.all([first.opened, second.opened]));
  const third = talk(a).connect(2, 80);
  await world.advance(100_000);
  expect(third.state).toBe('hello-sent');
  await run(b.replace('talk', TalkModule, { mode: 'handover' }));
  const accepted: TalkConnection = await run(listener.accept());
  first.send(Uint8Array.of(1, 2, 3));
  const got = new Promise<Uint8Array>((resolve) => {
    accepted.onData = resolve;
  });
  expect([...(await run(got))]).toEqual([1, 2, 3]);
  await run(third.opened);
  listener.close();
  expect(await run(second.closed)).toMatchObject({ code: 'ECONNRESET' });
  expect(await run(third.closed)).toMatchObject({ code: 'ECONNRESET' });
  expect(first.state).toBe('open');
  await hosts.dispose();
});

test('nobody listens: refused; nobody answers: timed out; a port is taken: EADDRINUSE', async () => {
  const { a, b, run, talk, cable, dispose } = await twoHosts();
  await expect(run(talk(a).connect(2, 99).opened)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  cable.faults.loss = 1;
  await expect(run(talk(a).connect(2, 99).opened)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  talk(b).listen(80);
  expect(() => talk(b).listen(80)).toThrow(/EADDRINUSE/);
  expect(() => talk(b).socket(80)).toThrow(/EADDRINUSE/);
  expect(b.holders()).toEqual([]);
  expect(b.module('talk')?.usage.objects).toMatchObject({ listener: 1, connection: 0, socket: 0 });
  await dispose();
});

test('sockets exchange messages, while leaving too, and after a hand-over', async () => {
  const { a, b, run, world, talk, dispose } = await twoHosts();
  const one = talk(a).socket(0, { owner: 'one' });
  const two = talk(b).socket(53, { owner: 'two' });
  const heard: string[] = [];
  two.onMessage = ({ from, port, bytes }) => heard.push(`${from} ${port === one.port} ${bytes}`);
  one.send(2, 53, Uint8Array.of(7));
  await world.advance(1000);
  const unload = b.unload('talk');
  one.send(2, 53, Uint8Array.of(8));
  await world.advance(1000);
  await run(b.abort('talk'));
  await unload;
  await run(b.replace('talk', TalkModule, { mode: 'handover' }));
  one.send(2, 53, Uint8Array.of(9));
  await world.advance(1000);
  expect(heard).toEqual(['1 true 7', '1 true 8', '1 true 9']);
  two.close();
  expect(await two.closed).toBeUndefined();
  await dispose();
  expect(await one.closed).toMatchObject({ code: 'ECONNABORTED' });
});

test('bytes that nobody took yet are handed over, and so are those on the cable', async () => {
  const { a, b, run, world, talk, dispose } = await twoHosts({ delayUs: 1000 });
  const listener = talk(b).listen(80);
  const connection = talk(a).connect(2, 80);
  const accepted = await run(listener.accept());
  connection.send(Uint8Array.of(1, 2, 3));
  await world.advance(5000);
  const message = talk(b).socket(53);
  const heard: number[] = [];
  message.onMessage = ({ bytes }) => heard.push(...bytes);
  talk(a).socket().send(2, 53, Uint8Array.of(4));
  await world.advance(500);
  for (const [name, source] of [
    ['test-link', TestLink],
    ['test-exchange', TestExchange],
    ['talk', TalkModule],
  ] as const) {
    await run(b.replace(name, source, { mode: 'handover' }));
  }
  await world.advance(600);
  expect(heard).toEqual([4]);
  const got: number[] = [];
  accepted.onData = (bytes) => got.push(...bytes);
  expect(got).toEqual([1, 2, 3]);
  await dispose();
});

test('a lingering connection holds nothing up, and answers the last word again', async () => {
  const { a, b, run, world, cable, talk, connection, dispose } = await talking(4, 0);
  connection.close();
  await run(connection.closed);
  expect(a.module('talk')?.usage).toMatchObject({ holds: 0, objects: { linger: 1, connection: 0 } });
  await run(a.replace('talk', TalkModule, { mode: 'handover' }));
  expect(a.module('talk')?.usage.objects).toMatchObject({ linger: 1 });
  await world.advance(1_000_000);
  expect(a.module('talk')?.usage).toMatchObject({ objectCount: 0, timers: 0 });
  cable.faults.loss = 0.4;
  const many = Array.from({ length: 20 }, () => talk(a).connect(2, 80));
  await run(Promise.all(many.map(({ opened }) => opened)));
  for (const each of many) each.close();
  expect(await run(Promise.all(many.map(({ closed }) => closed)))).toEqual(many.map(() => undefined));
  await world.advance(30_000_000);
  expect([...a.holders(), ...b.holders()]).toEqual([]);
  await dispose();
});

test('a whole stack leaves by cascade once its last connection is closed', async () => {
  const { a, run, connection, world, dispose } = await talking(9);
  const unload = a.unload('test-link', { cascade: true });
  await world.advance(100_000);
  expect(a.modules().map(({ state }) => state)).toEqual(['draining', 'draining', 'draining']);
  connection.close();
  expect(await run(unload)).toMatchObject({ outcome: 'gone', gone: ['talk#1', 'test-exchange#1', 'test-link#1'], faults: [], leaks: [] });
  await dispose();
});

test('a whole stack is forced out', async () => {
  const { a, run, connection, dispose } = await talking(9);
  const report = await run(a.unload('test-link', { cascade: true, force: true }));
  expect(report).toMatchObject({ outcome: 'gone', faults: [], leaks: [] });
  expect(report.broken).toMatchObject([{ kind: 'connection', owner: 'client' }]);
  expect(await connection.closed).toMatchObject({ code: 'ECONNABORTED' });
  await dispose();
});

test('what a user throws in a callback ends the connection, and nothing else', async () => {
  const { a, b, run, talk, connection, listener, dispose } = await talking();
  listener.onConnection = (child) => {
    child.onData = () => {
      throw new Error('my own trouble');
    };
  };
  const other = talk(a).connect(2, 80);
  other.send(Uint8Array.of(1));
  expect(await run(other.closed)).toMatchObject({ code: 'ECONNRESET' });
  expect(connection.state).toBe('open');
  expect(b.faults).toEqual([]);
  await dispose();
});

test('the same seed gives the same bytes on the cable', async () => {
  const traces: number[] = [];
  for (const seed of [11, 11, 12]) {
    const { run, sender, cable, connection, dispose } = await talking(seed, 0.1);
    await run(sender.move(30_000));
    connection.close();
    await run(connection.closed);
    traces.push(cable.trace);
    await dispose();
  }
  expect(traces[0]).toBe(traces[1]);
  expect(traces[0]).not.toBe(traces[2]);
});
