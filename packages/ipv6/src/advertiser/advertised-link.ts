import type { AddressWords, Frozen, NetDevice, Plain, RouterAdvertisement } from '@softnet/contract';
import { Held } from '@softnet/contract';
import type { FrozenAdvertisementSchedule } from './advertisement-schedule.ts';
import { AdvertisementSchedule } from './advertisement-schedule.ts';

/** Layout of {@link freezeAdvertised}. */
export const FROZEN_ADVERTISED = 1;

/** Who asked and is answered alone, and when: kernel µs. */
export interface Asker {
  readonly address: AddressWords;
  readonly dueUs: number;
}

/** A link on which this host tells of itself. It parks: who leaves says farewell, and begins again if it stays after all. */
export class AdvertisedLink extends Held {
  readonly device: NetDevice;
  said: RouterAdvertisement;
  readonly schedule: AdvertisementSchedule;
  /** It forwards there, the link can be used, and the module is not leaving. */
  isSpeaking = false;
  isParked = false;
  askers: readonly Asker[] = [];
  /** Farewells to come, and when the next is due. */
  farewells = 0;
  farewellUs = Number.POSITIVE_INFINITY;
  /** It is not asked for any more: it goes with its last farewell. */
  isOver = false;
  /** When the log was last told that another router says otherwise; kernel µs. */
  warnedUs = Number.NEGATIVE_INFINITY;

  constructor(device: NetDevice, said: RouterAdvertisement, fraction: () => number) {
    super();
    this.device = device;
    this.said = said;
    this.schedule = new AdvertisementSchedule(fraction);
  }

  /** When something is to be done; Infinity: never. */
  get nextUs(): number {
    return this.askers.reduce((least, { dueUs }) => Math.min(least, dueUs), Math.min(this.schedule.nextUs, this.farewellUs));
  }
}

interface AdvertisedData {
  readonly ifindex: number;
  readonly said: RouterAdvertisement;
  readonly isSpeaking: boolean;
  readonly schedule: FrozenAdvertisementSchedule;
}

/** As plain data for the next generation; who has asked asks again. */
export function freezeAdvertised({ device: { ifindex }, said, isSpeaking, schedule }: AdvertisedLink): Frozen {
  const data = { ifindex, said, isSpeaking, schedule: schedule.freeze() } satisfies AdvertisedData;
  return { version: FROZEN_ADVERTISED, data: data as unknown as Plain };
}

/** @param deviceOf throws where there is none. */
export function thawAdvertised({ data }: Frozen, deviceOf: (ifindex: number) => NetDevice, fraction: () => number): AdvertisedLink {
  const { ifindex, said, isSpeaking, schedule } = data as unknown as AdvertisedData;
  const link = new AdvertisedLink(deviceOf(ifindex), said, fraction);
  link.isSpeaking = isSpeaking;
  link.schedule.thaw(schedule);
  return link;
}
