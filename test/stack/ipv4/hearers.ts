import type { DatagramUser, Net } from '@softnet/testkit';

/** Sends one datagram to a group, and says which of the users got it: their places in `users`, each as often as it did. */
export async function hearers(
  net: Net,
  sender: DatagramUser,
  users: readonly DatagramUser[],
  group: string,
  port: number,
): Promise<number[]> {
  await net.run(sender.send(Uint8Array.of(1), group, port));
  await net.pass(5);
  const heard: number[] = [];
  for (const [i, user] of users.entries())
    for (let got = user.tryReceive(); typeof got !== 'number'; got = user.tryReceive()) heard.push(i);
  return heard;
}
