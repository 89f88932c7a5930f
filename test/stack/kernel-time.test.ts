import { KernelTime, Net } from '@softnet/testkit';
import { expect, test } from 'vitest';

test('a program that waits again whenever it has waited does not keep its module from going', async () => {
  const net = new Net();
  const { kernel } = await net.host('a');
  const time = kernel.port(KernelTime).current;
  let ticks = 0;
  const tick = (): void => {
    if (++ticks < 1000) time.after(1000, tick);
  };
  time.after(1000, tick);
  await net.pass(10);
  const before = ticks;
  await net.dispose();
  expect(ticks - before).toBe(1);
  expect(kernel.faults).toEqual([]);
});
