import type { Setting, SettingSpec, SysctlBranch } from '@softnet/contract';
import { DEVICE_EVENT, NetDevice } from '@softnet/contract';
import { etherLink } from '@softnet/wire';
import { describe, expect, it } from 'vitest';
import { DeviceConf } from './device-conf.ts';

const { REGISTER, UNREGISTER, NAME } = DEVICE_EVENT;
const SWITCH = { default: 0, min: 0, max: 1, summary: '' } as const;

function setup() {
  const cells = new Map<string, { value: unknown; changed: ((value: never) => void) | undefined }>();
  const sysctl: SysctlBranch = {
    define: ((name: string, spec: SettingSpec, changed?: (value: never) => void) => {
      const cell = { name, spec, value: spec.default, changed };
      cells.set(name, cell);
      return cell as unknown as Setting<unknown>;
    }) as SysctlBranch['define'],
    forget: (name) => void cells.delete(name),
    set: (name, value) => {
      const cell = cells.get(name)!;
      if (cell.value === value) return;
      cell.value = value;
      cell.changed?.(value as never);
    },
  };
  const seen: string[] = [];
  const changed = (device: NetDevice | null, value: number): void => void seen.push(`${device?.name ?? 'all'} ${value}`);
  const conf = new DeviceConf(sysctl, 'net.x.conf', {
    own: { ...SWITCH, join: 'own', changed },
    or: { ...SWITCH, join: 'or' },
    and: { ...SWITCH, join: 'and' },
    max: { ...SWITCH, max: 9, join: 'max' },
  });
  const ops = { open: () => {}, stop: () => {}, transmit: () => {} };
  const device = (ifindex: number, name: string): NetDevice => Object.assign(new NetDevice(ops, etherLink), { ifindex, name });
  return { conf, sysctl, cells, seen, device };
}

describe('DeviceConf', () => {
  it('may have nothing for all devices at once', () => {
    const { sysctl, cells, device } = setup();
    const conf = new DeviceConf(sysctl, 'net.x.neigh', { tries: { ...SWITCH, max: 9, join: 'own' } }, false);
    conf.deviceChanged(device(3, 'eth0'), REGISTER);
    sysctl.set('net.x.neigh.eth0.tries', 5);
    expect([conf.value(3, 'tries'), conf.value(4, 'tries'), cells.has('net.x.neigh.all.tries')]).toEqual([5, 0, false]);
  });

  it('comes and goes with a device, which begins as default is then', () => {
    const { conf, sysctl, cells, device } = setup();
    const eth0 = device(3, 'eth0');
    sysctl.set('net.x.conf.default.max', 5);
    conf.deviceChanged(eth0, REGISTER);
    sysctl.set('net.x.conf.default.max', 7);
    expect([conf.value(3, 'max'), conf.value(4, 'max'), cells.has('net.x.conf.eth0.max')]).toEqual([5, 7, true]);
    conf.deviceChanged(eth0, UNREGISTER);
    expect([conf.value(3, 'max'), [...cells.keys()].some((name) => name.includes('eth0'))]).toEqual([7, false]);
  });

  it.each([
    ['own', 0, 1, 1],
    ['own', 1, 0, 0],
    ['or', 1, 0, 1],
    ['or', 0, 1, 1],
    ['or', 0, 0, 0],
    ['and', 1, 0, 0],
    ['and', 1, 1, 1],
    ['max', 4, 2, 4],
    ['max', 2, 4, 4],
  ] as const)('joins %s: all %i, eth0 %i, in force %i', (name, all, own, inForce) => {
    const { conf, sysctl, device } = setup();
    conf.deviceChanged(device(1, 'eth0'), REGISTER);
    sysctl.set(`net.x.conf.all.${name}`, all);
    sysctl.set(`net.x.conf.eth0.${name}`, own);
    expect(conf.value(1, name)).toBe(inForce);
  });

  it('keeps its values under another name', () => {
    const { conf, sysctl, cells, device } = setup();
    const eth0 = device(1, 'eth0');
    conf.deviceChanged(eth0, REGISTER);
    sysctl.set('net.x.conf.eth0.max', 6);
    eth0.name = 'lan';
    conf.deviceChanged(eth0, NAME);
    expect([conf.value(1, 'max'), cells.has('net.x.conf.eth0.max'), cells.has('net.x.conf.lan.max')]).toEqual([6, false, true]);
  });

  it('sets all devices, and those to come, and tells of each but default', () => {
    const { conf, seen, device } = setup();
    conf.deviceChanged(device(1, 'eth0'), REGISTER);
    conf.setEverywhere('own', 1);
    conf.deviceChanged(device(2, 'eth1'), REGISTER);
    conf.set(2, 'own', 0);
    conf.set(9, 'own', 1);
    expect([conf.value(1, 'own'), conf.all('own'), conf.value(2, 'own'), seen]).toEqual([1, 1, 0, ['all 1', 'eth0 1', 'eth1 0']]);
  });
});
