import type { Kernel } from '@softnet/kernel';
import type { CableFaults } from '../link/cable.ts';
import { Cable } from '../link/cable.ts';
import { LinkDoor } from '../link/service.ts';
import type { TalkListener } from '../talk/service.ts';
import { Talk } from '../talk/service.ts';
import { BulkSender, serveEcho } from '../traffic.ts';
import type { Knock, Traffic } from './subject.ts';

/** Bytes that each connection moves in one exchange. */
const BYTES = 6000;

/** Traffic over talk, of whatever version: connections both ways between two kernels, each byte checked. */
export async function talkTraffic(kernels: readonly Kernel[], faults: Partial<CableFaults> = { loss: 0.02 }): Promise<Traffic> {
  const [a, b] = kernels as [Kernel, Kernel];
  const cable = new Cable({ ...faults, random: a.world.random.fork('cable') });
  for (const kernel of [a, b]) kernel.port(LinkDoor).current.plug(cable, kernel === a ? 1 : 2);
  const talks = { a: a.port(Talk), b: b.port(Talk) };
  const listeners: TalkListener[] = [talks.a.current.listen(80), talks.b.current.listen(80)];
  for (const listener of listeners) serveEcho(listener);
  const senders: BulkSender[] = [];
  const open = async (from: 'a' | 'b'): Promise<void> => {
    const connection = talks[from].current.connect(from === 'a' ? 2 : 1, 80, { owner: `traffic ${senders.length}` });
    senders.push(new BulkSender(connection, senders.length));
    await connection.opened;
  };
  await open('a');
  await open('b');
  return {
    exchange: async () => {
      const moved = await Promise.all(senders.map((sender) => sender.move(BYTES)));
      return moved.reduce((sum, count) => sum + count, 0);
    },
    openAnother: () => open('a'),
    knock: () => knock(talks.b.current),
    trace: () => cable.trace,
    close: async () => {
      for (const { connection } of senders) connection.close();
      await Promise.all(senders.map(({ connection }) => connection.closed));
      for (const listener of listeners) listener.close();
    },
  };
}

/** Connects from outside. */
function knock(outside: Talk): Knock {
  const connection = outside.connect(1, 80, { owner: 'knock' });
  return {
    get answered() {
      return connection.state === 'open';
    },
    withdraw: () => connection.reset(),
  };
}
