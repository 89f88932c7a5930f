import { CubicModule, RenoModule } from '@softnet/congestion';
import { SOL, TCP_SOCKET_OPTION } from '@softnet/contract';
import { TcpModule } from '@softnet/tcp';
import { HOST_STACK, pattern } from '@softnet/testkit';
import { expect, test } from 'vitest';
import { twoHosts } from './host.ts';
import { StreamUser } from './stream-user.ts';

const DATA = pattern(3, 0, 300_000);

async function connected(modules?: readonly never[]) {
  const hosts = await twoHosts(
    { delayUs: 5000, loss: 0.01 },
    modules === undefined ? {} : { modules: [...HOST_STACK, ...modules, TcpModule] },
  );
  const { net, a, b } = hosts;
  const listener = new StreamUser(b.kernel);
  listener.bind('0.0.0.0', 80);
  listener.listen();
  const client = new StreamUser(a.kernel, { name: 'client' });
  const [, server] = await net.run(Promise.all([client.connect('10.0.0.2', 80), listener.accept()]));
  const move = async (): Promise<void> => {
    const [, found] = await Promise.all([client.send(DATA), server.receiveAll(DATA.length)]);
    expect(Buffer.compare(found, DATA)).toBe(0);
  };
  const end = async (): Promise<void> => {
    for (const user of [client, server, listener]) user.close();
    await net.dispose();
  };
  return { ...hosts, client, move, end };
}

function controlOf(user: StreamUser): string {
  const bytes = new Uint8Array(16);
  user.calls.getOption(user.sock, SOL.TCP, TCP_SOCKET_OPTION.CONGESTION, bytes);
  return String.fromCharCode(...bytes.filter((byte) => byte !== 0));
}

test('without a module for it TCP has slow start and avoidance of its own', async () => {
  const { net, client, move, end } = await connected([]);
  expect(controlOf(client)).toBe('plain');
  await net.run(move());
  await end();
});

test('another control takes over in the midst; the first is then nobody’s', async () => {
  const { net, a, client, move, end } = await connected();
  expect([controlOf(client), a.kernel.holders('cubic').map(({ owner }) => owner)]).toEqual(['cubic', ['client']]);
  const moving = move();
  const changing = (async () => {
    await new Promise<void>((resolve) => a.kernel.after(30_000, resolve, 'test'));
    expect(client.setOption(SOL.TCP, TCP_SOCKET_OPTION.CONGESTION, new TextEncoder().encode('reno'))).toBe(0);
  })();
  await net.run(Promise.all([moving, changing]));
  expect([controlOf(client), a.kernel.holders('cubic'), a.kernel.holders('reno').length]).toEqual(['reno', [], 1]);
  await net.run(a.kernel.unload('cubic').report);
  await end();
});

test('a control is replaced under a connection; one that leaves waits for it', async () => {
  const { net, a, client, move, end } = await connected();
  const replacing = (async () => {
    await new Promise<void>((resolve) => a.kernel.after(30_000, resolve, 'test'));
    const { mode, adopted } = await a.kernel.replace('cubic', CubicModule, { mode: 'handover' });
    expect([mode, adopted['congestion-state']]).toEqual(['handover', 1]);
  })();
  await net.run(Promise.all([move(), replacing]));
  const leaving = a.kernel.unload('cubic');
  await net.run(move());
  expect(controlOf(client)).toBe('cubic');
  client.close();
  await net.run(leaving.report);
  await net.run(a.kernel.unload('reno').report);
  await net.run(a.kernel.load(RenoModule));
  await end();
});
