import { BulkSender, serveEcho, twoHosts } from '@softnet/testkit';
import { expect, test } from 'vitest';

test('bytes survive a bad cable', async () => {
  const { a, b, talk, run, dispose } = await twoHosts({ seed: 7, delayUs: 500, loss: 0.1, reorder: 0.05 });
  serveEcho(talk(b).listen(80));
  const connection = talk(a).connect(2, 80);
  const sender = new BulkSender(connection, 1);
  expect(await run(sender.move(20_000))).toBe(20_000);
  connection.close();
  expect(await run(connection.closed)).toBeUndefined();
  await dispose();
});
