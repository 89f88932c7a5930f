import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { buildBundle } from '../node.ts';
import { TalkModule } from '../talk/module.ts';
import { twoHosts } from '../topology.ts';
import { BulkSender, serveEcho } from '../traffic.ts';

const talk2 = await buildBundle(fileURLToPath(new URL('../../fixtures/talk2/talk2.ts', import.meta.url)));

test('talk 2 is a bundle of its own, which asks for the contract alone', () => {
  expect([...talk2.code.matchAll(/require\("([^"]+)"\)/g)].map(([, name]) => name).filter((name) => name !== '@softnet/contract')).toEqual(
    [],
  );
  expect(talk2.filename).toMatch(/talk2\.cjs$/);
});

test('talk 1 and talk 2 understand one another, over a bad cable', async () => {
  const hosts = await twoHosts({ seed: 5, modules: [], loss: 0.1, reorder: 0.1, duplicate: 0.1 });
  await hosts.run(hosts.a.load(TalkModule));
  await hosts.run(hosts.b.load(talk2));
  const moved = [];
  for (const [from, to] of [
    [hosts.a, hosts.b],
    [hosts.b, hosts.a],
  ] as const) {
    serveEcho(hosts.talk(to).listen(80));
    const connection = hosts.talk(from).connect(to === hosts.a ? 1 : 2, 80);
    moved.push(await hosts.run(new BulkSender(connection, 4).move(60_000)));
    connection.close();
    expect(await hosts.run(connection.closed)).toBeUndefined();
  }
  expect(moved).toEqual([60_000, 60_000]);
  await expect(hosts.run(hosts.talk(hosts.a).connect(2, 9).opened)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await hosts.world.advance(5_000_000);
  expect([...hosts.a.holders(), ...hosts.b.holders()]).toEqual([]);
  expect([...hosts.a.faults, ...hosts.b.faults]).toEqual([]);
  await hosts.dispose();
});

test.each(['handover', 'drain'] as const)('talk 1 is replaced by talk 2 (%s) while bytes move', async (mode) => {
  const hosts = await twoHosts({ seed: 6, loss: 0.05 });
  const { a, b, run, world, talk } = hosts;
  const listener = talk(b).listen(80);
  serveEcho(listener);
  const connection = talk(a).connect(2, 80);
  const sender = new BulkSender(connection, 1);
  const socket = talk(a).socket(70);
  const moving = sender.move(150_000);
  await world.advance(3000);
  const reports = [await run(a.replace('talk', talk2, { mode }))];
  await world.advance(1234);
  reports.push(await run(b.replace('talk', talk2, { mode })));
  expect(reports[0]?.adopted).toEqual(mode === 'handover' ? { connection: 1, socket: 1 } : {});
  expect(await run(moving)).toBe(150_000);
  const second = talk(a).connect(2, 80);
  await run(second.opened);
  if (mode === 'handover') {
    await world.advance(999);
    await run(b.replace('talk', talk2, { mode }));
    await expect(run(b.replace('talk', TalkModule, { mode }))).rejects.toThrow(/EBUSY.*layout 2/);
  }
  expect(await run(sender.move(1000))).toBe(1000);
  for (const each of [connection, second, socket]) each.close();
  expect(await run(Promise.all([connection.closed, second.closed, socket.closed]))).toEqual([undefined, undefined, undefined]);
  for (const { drained } of reports) expect(await run(drained)).toMatchObject({ outcome: 'gone', faults: [], leaks: [], broken: [] });
  await world.advance(5_000_000);
  expect([...a.holders(), ...b.holders()]).toEqual([]);
  expect([...a.faults, ...b.faults]).toEqual([]);
  expect(a.module('talk')?.version).toBe('2.0.0');
  await hosts.dispose();
});
