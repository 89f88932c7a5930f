import type { CongestionState, ModuleContext, Objects, SoftnetModule } from '@softnet/contract';
import { CongestionControl, Module, SOL, TCP_SOCKET_OPTION } from '@softnet/contract';
import { expect, test } from 'vitest';
import { TCP_STACK, twoHosts } from './host.ts';
import { StreamUser } from './stream-user.ts';

/** Throws at the first acknowledgement. */
@Module({ name: 'bad', version: '1.0.0', summary: 'a control with a bug', provides: [CongestionControl] })
class BadControl implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const uses: Objects<CongestionState> = ctx.objects('congestion-state', { drain: 'wait', close: (state) => uses.release(state) });
    const control: CongestionControl = {
      ...{ name: 'bad', uses, wantsEcn: false, begin: () => {}, end: () => {} },
      increase: () => {
        throw new Error('a bug of the control');
      },
      ssthresh: () => 2,
      undo: ({ cwnd }) => cwnd,
    };
    ctx.contribute(CongestionControl, control, 'door');
  }
}

test('what a control throws is its own fault, and not TCP’s', async () => {
  const { net, a, b } = await twoHosts({ delayUs: 1000 }, { modules: [...TCP_STACK, BadControl] });
  const listener = new StreamUser(b.kernel);
  listener.bind('0.0.0.0', 80);
  listener.listen();
  const client = new StreamUser(a.kernel);
  expect(client.setOption(SOL.TCP, TCP_SOCKET_OPTION.CONGESTION, new TextEncoder().encode('bad'))).toBe(0);
  const [, server] = await net.run(Promise.all([client.connect('10.0.0.2', 80), listener.accept()]));
  client.trySend(new Uint8Array(20_000));
  await net.pass(1000);
  expect([...new Set(a.kernel.faults.map(({ module }) => module))]).toEqual(['bad#1']);
  expect(a.kernel.module('tcp')?.state).toBe('live');
  for (const user of [client, server, listener]) user.close();
  await net.dispose();
});
