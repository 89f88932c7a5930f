import type { AddressWords, ModuleContext, Skb, SoftnetModule } from '@softnet/contract';
import { DeviceTraffic, defineService, ETHERTYPE, Module, SKB_TYPE, SkbPool, Tap } from '@softnet/contract';
import { copyIn, SkbReader } from '@softnet/skb';
import type { NetHost } from '@softnet/testkit';

interface Hub {
  seen: (frame: Uint8Array, ifindex: number) => void;
}
const Hub = defineService<Hub>({ name: 'test-hub', version: '1.0.0' });

/** Sees each frame of each device. */
@Module({ name: 'test-hub', version: '1.0.0', provides: [Hub, Tap] })
export class HubModule implements SoftnetModule {
  start(ctx: ModuleContext): void {
    const hub: Hub = { seen: () => {} };
    const reader = new SkbReader();
    ctx.corridor(Hub, hub);
    const tap = (skb: Skb): void => {
      if (skb.type === SKB_TYPE.OUTGOING) return;
      const header = skb.data - skb.mac;
      const frame = new Uint8Array(header + skb.len);
      frame.set(skb.memory.bytes.subarray(skb.mac, skb.data));
      if (reader.open(skb)) reader.copyOut(frame, header);
      hub.seen(frame, skb.ifindex);
    };
    ctx.contribute(Tap, { ethertype: ETHERTYPE.ALL, ifindex: 0, tap }, 'corridor');
  }
}

/** What a frame reports: who it is of, by a name of the family's own. */
export interface GroupReport {
  readonly who: string;
  readonly records: readonly { readonly type: number; readonly group: AddressWords; readonly sources: readonly AddressWords[] }[];
}

interface QuerierFamily {
  format(address: AddressWords): string;
  /** A general query, as a frame. */
  query(maxResponseMs: number): Uint8Array;
  /** null: it is no report. @throws when it is one as no host should send it */
  reportOf(frame: Uint8Array, ifindex: number): GroupReport | null;
}

/** A state of RFC 3376 §6.4 and RFC 3810 §7.4, without its timers, of each host and group: what was said last is believed, and changes are followed. */
export class GroupQuerier {
  readonly #states = new Map<string, { mode: string; sources: ReadonlySet<string> }>();
  readonly #hub: NetHost;
  readonly #family: QuerierFamily;

  /** @param hub has a {@link HubModule}. */
  constructor(hub: NetHost, family: QuerierFamily) {
    this.#hub = hub;
    this.#family = family;
    hub.kernel.port(Hub).current.seen = (frame, ifindex) => this.#heard(frame, ifindex);
  }

  query(maxResponseMs: number): void {
    this.#flood(this.#family.query(maxResponseMs), 0);
  }

  /** A link is a medium: each host hears the others. */
  #flood(frame: Uint8Array, from: number): void {
    const { kernel, devices } = this.#hub;
    for (const device of devices) {
      if (device.ifindex === from) continue;
      const skb = kernel.port(SkbPool).current.alloc(64, frame.length)!;
      copyIn(skb, frame);
      skb.mac = skb.data;
      kernel.port(DeviceTraffic).current.transmit(device, skb);
    }
  }

  #heard(frame: Uint8Array, ifindex: number): void {
    this.#flood(frame, ifindex);
    const { format } = this.#family;
    const report = this.#family.reportOf(frame, ifindex);
    for (const { type, group, sources } of report?.records ?? []) {
      this.#note(`${report!.who} ${format(group)}`, type, new Set(sources.map(format)));
    }
  }

  #note(key: string, record: number, said: ReadonlySet<string>): void {
    const { mode, sources } = this.#states.get(key) ?? { mode: 'include', sources: new Set<string>() };
    // 1 and 3: IS_IN, TO_IN; 2 and 4: IS_EX, TO_EX; 5 and 6: ALLOW, BLOCK.
    if (record <= 4) this.#states.set(key, { mode: record % 2 === 1 ? 'include' : 'exclude', sources: said });
    else {
      const adds = (record === 5) === (mode === 'include');
      this.#states.set(key, { mode, sources: new Set(adds ? [...sources, ...said] : [...sources].filter((each) => !said.has(each))) });
    }
  }

  /** 'exclude 10.9.0.1' by host and group; without those that nobody is in. */
  get view(): [string, string][] {
    const all = [...this.#states].filter(([, { mode, sources }]) => mode === 'exclude' || sources.size > 0);
    return all.map(([key, { mode, sources }]) => [key, [mode, ...[...sources].sort()].join(' ')] as [string, string]).sort();
  }

  forget(): void {
    this.#states.clear();
  }
}
