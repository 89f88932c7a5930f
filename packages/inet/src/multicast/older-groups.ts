import type { ModuleContext } from '@softnet/contract';
import { JoinedGroups } from '@softnet/contract';
import type { GroupMemberships } from './group-memberships.ts';

/** Generations come and go: memberships of sockets, which an older one has while it drains, go over to this one. @param place of the poll. */
export function followOlderGroups(ctx: ModuleContext, memberships: GroupMemberships, place: string): void {
  const joined = ctx.contributions(JoinedGroups);
  const poll = ctx.poll(
    {
      poll: () => {
        for (const older of joined.items) {
          if (older === memberships) break;
          if (older.family === memberships.family) memberships.takeOver(older);
        }
        return 0;
      },
    },
    place,
  );
  ctx.contributions(JoinedGroups, poll);
}
