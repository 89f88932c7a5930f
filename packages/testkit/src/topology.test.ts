import { World } from '@softnet/kernel';
import { expect, test } from 'vitest';
import { twoHosts } from './topology.ts';
import { BulkSender, serveEcho } from './traffic.ts';

test('two hosts talk, over a bad cable too', async () => {
  for (const faults of [{}, { loss: 0.15, duplicate: 0.1, reorder: 0.1, jitterUs: 50 }]) {
    const hosts = await twoHosts({ seed: 7, ...faults });
    const listener = hosts.talk(hosts.b).listen(80);
    serveEcho(listener);
    const connection = hosts.talk(hosts.a).connect(2, 80);
    const sender = new BulkSender(connection, 3);
    await hosts.run(connection.opened);
    expect(await hosts.run(sender.move(100_000))).toBe(100_000);
    connection.close();
    expect(await hosts.run(connection.closed)).toBeUndefined();
    await hosts.world.advance(1_000_000);
    expect(hosts.a.holders()).toEqual([]);
    expect(hosts.b.holders()).toEqual([]);
    expect(hosts.a.faults).toEqual([]);
    const again = [...hosts.a.counters(), ...hosts.b.counters()].filter(({ name }) => name === 'retransmits');
    expect(again.some(({ value }) => value > 0)).toBe('loss' in faults);
    await hosts.dispose();
  }
});

test('they talk in real time too', async () => {
  const hosts = await twoHosts({ world: new World({ clock: 'real' }), delayUs: 1000 });
  serveEcho(hosts.talk(hosts.b).listen(80));
  const connection = hosts.talk(hosts.a).connect(2, 80);
  expect(await hosts.run(new BulkSender(connection, 3).move(20_000), 5_000_000)).toBe(20_000);
  connection.close();
  expect(await connection.closed).toBeUndefined();
  await hosts.dispose();
});
