import type { ModuleContext, SoftnetModule } from '@softnet/contract';
import { ADDRESS_FAMILY, HOOK_FAMILY, HOOK_POINT, Hook, Message, Module, VERDICT } from '@softnet/contract';
import { expect, test, vi } from 'vitest';

// Before anything is imported: this file looks at what users run.
vi.hoisted(() => {
  Object.assign(globalThis, { SOFTNET_DEBUG: '0' });
});

import { heapPerCall } from '@softnet/contract/testing';
import { B_INSIDE, stackedNet } from './stacked-net.ts';

/** An object is 16 bytes at least, a number in a box 16. What the world's clock allocates for an instant, a batch shares. */
const NOTHING = 8;
const BATCH = 60;

/** Frees what would leave by the wire. */
@Module({ name: 'test-void', version: '1.0.0', provides: [Hook] })
class VoidModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const reason = ctx.dropReason('test.void', 'the test is not interested');
    const at = { family: HOOK_FAMILY.NETDEV, point: HOOK_POINT.EGRESS, priority: 0 };
    const run: Hook['run'] = (_skb, _chain, _input, output) => (output!.name === 'eth1' ? VERDICT.DROP : VERDICT.ACCEPT);
    ctx.contribute(Hook, { name: 'void', ...at, reason, run }, 'door');
  }
}

test('down the whole stack, veil, tube, backlog, label and neighbour, not a byte of garbage', async () => {
  const { net, a } = await stackedNet();
  const user = a.open({ family: ADDRESS_FAMILY.INET });
  user.connect(B_INSIDE, 7);
  // The first asks for neighbours.
  await net.run(user.send(new Uint8Array(8)));
  await net.run(user.receive());
  await net.run(a.kernel.load(VoidModule));
  const message = new Message();
  message.data = new Uint8Array(800);
  const { sock } = user;
  const calls = sock.ops.calls!;
  let sent = 0;
  const batch = (): void => {
    for (let i = 0; i < BATCH; i++) if (calls.send(sock, message) === 800) sent++;
    net.world.advanceSync(10);
  };
  expect(heapPerCall(BATCH * NOTHING, batch, 60) / BATCH).toBeLessThan(NOTHING);
  expect(a.kernel.dropReasons().find(({ name }) => name === 'test.void')?.count).toBe(sent);
  user.close();
  await net.dispose();
});
