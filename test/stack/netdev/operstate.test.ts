import type { DeviceListener, NetDevice } from '@softnet/contract';
import { DEVICE_EVENT, DEVICE_FLAG, isRunning, OPERSTATE } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import type { NetdevHost } from './netdev-host.ts';
import { bootNetdev, FakeDriver, plug, send } from './netdev-host.ts';

const { DOWN, LOWER_LAYER_DOWN, NOT_PRESENT, DORMANT, UP } = OPERSTATE;

/** Hears of changes, and of what was true when it heard. */
class Ear implements DeviceListener {
  readonly heard: string[] = [];
  deviceChanged(device: NetDevice, event: number): void {
    const name = Object.entries(DEVICE_EVENT).find(([, number]) => number === event)![0];
    const state = Object.entries(OPERSTATE).find(([, number]) => number === device.operstate)![0];
    this.heard.push(`${device.name} ${name} ${state}${isRunning(device) ? ' running' : ''}`);
  }
  take(): string[] {
    return this.heard.splice(0);
  }
}

async function boot() {
  const host = await bootNetdev();
  const ear = new Ear();
  await host.load('ear', { listeners: [ear] });
  const eth0 = plug(host, new FakeDriver(host), 'eth0', { up: false });
  ear.take();
  return { host, ear, eth0 };
}

/** A device that is up and stacked on another. */
function stack(host: NetdevHost, name: string, lower: NetDevice): NetDevice {
  const device = plug(host, new FakeDriver(host), name, { up: false, lower });
  host.devices().open(device);
  return device;
}

/** Brings a device into a state, by what may be done to it. */
type Given = readonly ['up' | 'down', 'carrier' | 'no carrier', 'ready' | 'dormant'];
function bring({ devices, traffic }: NetdevHost, device: NetDevice, [admin, carrier, dormant]: Given): void {
  if (admin === 'up') devices().open(device);
  else devices().close(device);
  traffic().setCarrier(device, carrier === 'carrier');
  traffic().setDormant(device, dormant === 'dormant');
}

/** RFC 2863 §3.1.12 and §3.1.14, with nothing below it; and what a device stacked on it is then, when that is up (§3.1.13). */
const TABLE: readonly [...Given, number, number][] = [
  ['down', 'no carrier', 'ready', DOWN, LOWER_LAYER_DOWN],
  ['down', 'no carrier', 'dormant', DOWN, LOWER_LAYER_DOWN],
  ['down', 'carrier', 'ready', DOWN, LOWER_LAYER_DOWN],
  ['down', 'carrier', 'dormant', DOWN, LOWER_LAYER_DOWN],
  ['up', 'no carrier', 'ready', DOWN, LOWER_LAYER_DOWN],
  ['up', 'no carrier', 'dormant', DOWN, LOWER_LAYER_DOWN],
  ['up', 'carrier', 'dormant', DORMANT, DORMANT],
  ['up', 'carrier', 'ready', UP, UP],
];

describe('the operational state (RFC 2863)', () => {
  test.each(TABLE)('%s, %s, %s: %i, and above it %i', async (admin, carrier, dormant, own, above) => {
    const { host, eth0 } = await boot();
    const vlan = stack(host, 'vlan', eth0);
    const top = stack(host, 'top', vlan);
    bring(host, eth0, [admin, carrier, dormant]);
    const all = [eth0, vlan, top];
    expect(all.map(({ operstate }) => operstate)).toEqual([own, above, above]);
    expect(all.map(isRunning), 'RUNNING is derived').toEqual(all.map(({ operstate }) => operstate === UP));
    host.devices().close(vlan);
    expect([vlan.operstate, top.operstate]).toEqual([DOWN, LOWER_LAYER_DOWN]);
  });

  test('from each row to each other: where one comes from does not matter', async () => {
    const { host, eth0 } = await boot();
    const vlan = stack(host, 'vlan', eth0);
    for (const from of TABLE) {
      for (const to of TABLE) {
        bring(host, eth0, [from[0], from[1], from[2]]);
        bring(host, eth0, [to[0], to[1], to[2]]);
        expect([eth0.operstate, vlan.operstate], `${from} to ${to}`).toEqual([to[3], to[4]]);
      }
    }
  });

  test('listeners hear each change as it is: carrier that goes, dormancy, the stack above; nothing twice, nothing of what is down', async () => {
    const { host, ear, eth0 } = await boot();
    const { devices, traffic } = host;
    traffic().setCarrier(eth0, true);
    traffic().setDormant(eth0, true);
    expect(ear.take(), 'down').toEqual([]);
    const vlan = stack(host, 'vlan', eth0);
    ear.take();
    const heard = (act: () => void): string[] => {
      act();
      act();
      return ear.take();
    };
    expect(heard(() => devices().open(eth0))).toEqual(['eth0 UP DORMANT', 'vlan CHANGE DORMANT']);
    expect(heard(() => traffic().setDormant(eth0, false))).toEqual(['eth0 CHANGE UP running', 'vlan CHANGE UP running']);
    expect(heard(() => traffic().setCarrier(eth0, false))).toEqual(['eth0 CHANGE DOWN', 'vlan CHANGE LOWER_LAYER_DOWN']);
    expect(heard(() => traffic().setCarrier(eth0, true))).toEqual(['eth0 CHANGE UP running', 'vlan CHANGE UP running']);
    expect(heard(() => devices().close(vlan))).toEqual(['vlan GOING_DOWN UP running', 'vlan DOWN DOWN']);
    expect(heard(() => devices().close(eth0))).toEqual(['eth0 GOING_DOWN UP running', 'eth0 DOWN DOWN']);
  });

  test('a device whose lower one was taken out is not present; when that comes back, it is as it was', async () => {
    const { host, ear, eth0 } = await boot();
    const vlan = stack(host, 'vlan', eth0);
    bring(host, eth0, ['up', 'carrier', 'ready']);
    ear.take();
    host.devices().unregister(eth0);
    expect([vlan.operstate, isRunning(vlan), vlan.flags & DEVICE_FLAG.UP]).toEqual([NOT_PRESENT, false, DEVICE_FLAG.UP]);
    expect(ear.take().slice(-2)).toEqual(['eth0 UNREGISTER DOWN', 'vlan CHANGE NOT_PRESENT']);
    send(host, vlan, 'nobody');
    expect(host.drops()).toEqual({ 'netdev.no-carrier': 1 });
    host.devices().register(eth0);
    expect([vlan.operstate, ear.take()]).toEqual([LOWER_LAYER_DOWN, ['eth0 REGISTER DOWN', 'vlan CHANGE LOWER_LAYER_DOWN']]);
    host.devices().open(eth0);
    expect(vlan.operstate).toBe(UP);
    host.devices().close(vlan);
    ear.take();
    host.devices().unregister(eth0);
    expect(ear.take(), 'of what is down nobody wants to know').toEqual([
      'eth0 GOING_DOWN UP running',
      'eth0 DOWN DOWN',
      'eth0 UNREGISTER DOWN',
    ]);
  });

  test('nothing is stacked on what is not registered', async () => {
    const { host, eth0 } = await boot();
    host.devices().unregister(eth0);
    expect(() => stack(host, 'vlan', eth0)).toThrow(
      "EINVAL: the device 'vlan' cannot be registered: the device below it, 'eth0', is not registered",
    );
  });

  test('one that comes later has at once what the one below has', async () => {
    const { host, eth0 } = await boot();
    bring(host, eth0, ['up', 'carrier', 'dormant']);
    const late = plug(host, new FakeDriver(host), 'late', { up: false, lower: eth0 });
    expect([late.carrier, late.dormant, late.operstate]).toEqual([true, true, DOWN]);
    host.devices().open(late);
    expect(late.operstate).toBe(DORMANT);
  });
});
