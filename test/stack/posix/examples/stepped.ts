import { Kernel, World } from '@softnet/kernel';
import { constants, Posix, socketAddress, timeValue, watchCall } from '@softnet/posix';
import { HOST_STACK } from '@softnet/testkit';

/** What a call that waits has answered, every 100 virtual ms. */
export async function stepped(): Promise<(number | undefined)[]> {
  const { AF_INET, SOCK_DGRAM, SOL_SOCKET, SO_RCVTIMEO } = constants;
  const world = new World({ clock: 'virtual', seed: 1 });
  const kernel = new Kernel({ world, name: 'host' });
  for (const module of HOST_STACK) await world.run(kernel.load(module));
  await world.advance(1000); // µs: its loopback comes up
  const posix = new Posix(kernel);
  const fd = posix.socket(AF_INET, SOCK_DGRAM);
  const here = socketAddress('127.0.0.1', 7)!;
  if (posix.bind(fd, here) < 0) throw new Error(posix.lastError);
  posix.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeValue(250_000)); // µs
  const seen: (number | undefined)[] = [];
  for (const mayCome of [false, true]) {
    const call = watchCall(posix.recv(fd, new Uint8Array(100)));
    for (let step = 0; step < 3; step++) {
      if (step === 1 && mayCome) posix.sendto(fd, Uint8Array.of(1, 2, 3), 0, here);
      await world.advance(100_000); // nothing happens but in here
      seen.push(call.result);
    }
  }
  posix.exit();
  await world.run(kernel.shutdown());
  return seen; // undefined, undefined, -EAGAIN; undefined, 3, 3
}
