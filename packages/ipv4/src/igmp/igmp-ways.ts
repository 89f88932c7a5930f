import type { GroupMembership, ModuleContext } from '@softnet/contract';
import { DeviceListener, JoinedGroups, LinkGroups, MulticastGroups, MulticastRouter, NetworkLayer, Protocol } from '@softnet/contract';
import { SocketMemberships } from '@softnet/inet';
import { GroupTraffic } from '../group-traffic.ts';
import type { Joints } from '../joints.ts';
import type { Ipv4Parts } from '../parts.ts';
import { GroupOptions } from '../socket/group-options.ts';
import { defineIgmpDrops } from './drops.ts';
import { Igmp } from './igmp.ts';
import { IgmpLinks } from './igmp-links.ts';
import { IgmpSender } from './igmp-sender.ts';
import { Memberships } from './memberships.ts';
import { defineIgmpSettings } from './settings.ts';

/** Groups, as the module has them. */
export interface IgmpWays {
  readonly options: GroupOptions;
  /** The layer goes. */
  close(): void;
}

/** Makes what IPv4 has for groups, and publishes it: what the module does in `start`. */
export function makeIgmp(ctx: ModuleContext, parts: Ipv4Parts, joints: Joints): IgmpWays {
  const drops = defineIgmpDrops((name, text) => ctx.dropReason(name, text));
  const settings = defineIgmpSettings(ctx.sysctl);
  const sender = new IgmpSender(parts, joints, ctx.counter('igmp-out-msgs'));
  const links = new IgmpLinks({
    parts,
    settings,
    sender,
    below: (bound) => ctx.random.below(bound),
    isLeaving: () => !joints.layer.uses.open,
  });
  links.timer = ctx.timer(() => links.fire(), null, 'igmp.links');
  const { traffic, current } = parts;
  const memberships = new Memberships({ links, settings, traffic, current, linkGroups: ctx.port(LinkGroups) });
  memberships.begin(ctx.objects<GroupMembership>('membership', memberships.spec));
  joints.groups = new GroupTraffic(parts, joints, drops, {
    joined: ctx.contributions(JoinedGroups),
    routers: ctx.contributions(MulticastRouter),
  });
  watchOlder(ctx, memberships);
  const own = { drops, links, layers: ctx.contributions(NetworkLayer), received: ctx.counter('igmp-in-msgs') };
  ctx.contribute(Protocol, new Igmp(parts, joints, own), 'corridor');
  ctx.contribute(JoinedGroups, memberships, 'corridor');
  ctx.contribute(MulticastGroups, memberships, 'door');
  ctx.contribute(DeviceListener, memberships, 'corridor');
  const sockets = new SocketMemberships({
    joinFor: (sock, device, group, filter) => memberships.joinFor(sock, device, group, filter),
    maxMemberships: () => settings.maxMemberships.value,
    maxSources: () => settings.maxSources.value,
  });
  return {
    options: new GroupOptions(parts, sockets, memberships, settings),
    close: () => {
      memberships.close();
      links.close();
    },
  };
}

/** Generations have come or gone. */
function watchOlder(ctx: ModuleContext, memberships: Memberships): void {
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
    'ipv4.joined-groups',
  );
  ctx.contributions(JoinedGroups, poll);
}
