import type { SettingSpec } from '@softnet/contract';
import { describe, expect, it } from 'vitest';
import type { SettingsOwner } from './sysctl-tree.ts';
import { SysctlTree } from './sysctl-tree.ts';

const owner = (label: string, integer = 1): SettingsOwner => ({ label, owner: integer });
const ttl = { type: 'int', default: 64, min: 1, max: 255, summary: 'TTL of packets' } as const;
const bool = { type: 'bool', default: false, summary: 'on or off' } as const;

function setup() {
  const faults: string[] = [];
  const resets: string[] = [];
  const tree = new SysctlTree({
    onFault: (integer, error, place) => void faults.push(`${integer} ${String(error)} ${place}`),
    onReset: (module, sentence) => void resets.push(`${module}: ${sentence}`),
  });
  /** A generation that defined `net.x.ttl` and is live. */
  const live = (label: string, spec: SettingSpec & { summary: string } = ttl, changed?: (value: unknown) => void) => {
    const of = owner(label);
    const setting = tree.branch(of).define('net.x.ttl', spec, changed);
    tree.commit(of);
    return { of, setting };
  };
  return { tree, faults, resets, live };
}

describe('SysctlTree', () => {
  it('sets by value and by text, tells the module, and lists by prefix', () => {
    const { tree } = setup();
    const of = owner('ipv4#1');
    const branch = tree.branch(of);
    const seen: unknown[] = [];
    const forward = branch.define('net.ipv4.ip_forward', bool, (on) => seen.push(on));
    const rmem = branch.define(
      'net.ipv4.tcp_rmem',
      { type: 'ints', default: [4096, 131072, 6291456], min: 1, max: 2 ** 31 - 1, unit: 'bytes', summary: 'buffers' },
      (sizes) => seen.push(sizes),
    );
    tree.commit(of);
    tree.set('net.ipv4.ip_forward', '1');
    tree.set('net.ipv4.ip_forward', true);
    tree.set('net.ipv4.tcp_rmem', '1 2\t3');
    expect(forward.value).toBe(true);
    expect(rmem.value).toEqual([1, 2, 3]);
    expect(Object.isFrozen(rmem.value)).toBe(true);
    expect(seen).toEqual([true, [1, 2, 3]]);
    expect(tree.get('net.ipv4.tcp_rmem')).toEqual([1, 2, 3]);
    expect(tree.list('net.ipv4.ip')).toEqual([
      { name: 'net.ipv4.ip_forward', value: true, text: '1', spec: bool, summary: 'on or off', module: 'ipv4#1' },
    ]);
    expect(tree.list().map(({ name, text }) => `${name} = ${text}`)).toEqual(['net.ipv4.ip_forward = 1', 'net.ipv4.tcp_rmem = 1 2 3']);
    expect([tree.countOf(of), tree.countOf(owner('ipv4#1'))]).toEqual([2, 0]);
  });

  it('names the setting, the range and what was given, and keeps the value', () => {
    const { tree, live } = setup();
    const { setting } = live('x#1');
    expect(() => tree.set('net.x.ttl', '300')).toThrow("EINVAL: net.x.ttl takes an integer from 1 to 255, got '300'");
    expect(() => tree.set('net.x.ttl', 'many')).toThrow("got 'many'");
    expect(setting.value).toBe(64);
  });

  it('names what is near when a name is unknown', () => {
    const { tree } = setup();
    const of = owner('ipv4#1');
    for (const name of ['net.ipv4.ip_forward', 'net.ipv4.ip_default_ttl', 'net.ipv6.hop', 'vm.swap']) tree.branch(of).define(name, bool);
    tree.commit(of);
    expect(() => tree.get('net.ipv4.ip_forwrd')).toThrow(
      /^ENOENT: there is no setting net.ipv4.ip_forwrd; there is net.ipv4.ip_forward, net.ipv4.ip_default_ttl, net.ipv6.hop$/,
    );
    expect(() => tree.set('foo.bar', '1')).toThrow(/^ENOENT: there is no setting foo.bar$/);
  });

  it('forgets one that its module takes back: the name is free, the others stay', () => {
    const { tree } = setup();
    const of = owner('x#1');
    const branch = tree.branch(of);
    branch.define('net.x.eth0', bool);
    branch.define('net.x.eth1', bool);
    tree.commit(of);
    branch.forget('net.x.eth0');
    branch.forget('net.x.eth0');
    tree.branch(owner('y#1')).forget('net.x.eth1');
    expect([tree.list().map(({ name }) => name), tree.countOf(of)]).toEqual([['net.x.eth1'], 1]);
    expect(branch.define('net.x.eth0', bool).value).toBe(false);
  });

  it('has values of boot: a module starts with them, is told when it is live, and keeps what was set since', () => {
    const tree = new SysctlTree({ onFault: () => {}, onReset: () => {} }, { 'net.x.ttl': '9', 'net.x.late': 1, 'net.x.bad': 0 });
    const told: unknown[] = [];
    const [one, two] = [owner('x#1'), owner('x#2')];
    const branch = tree.branch(one);
    expect(branch.define('net.x.ttl', ttl, (value) => told.push(value)).value).toBe(9);
    expect(() => branch.define('net.x.bad', ttl)).toThrow('EINVAL: net.x.bad takes an integer from 1 to 255, got 0');
    expect(told).toEqual([]);
    tree.commit(one);
    branch.define('net.x.late', bool, (value) => told.push(value));
    expect([told, tree.get('net.x.late')]).toEqual([[9, true], true]);
    tree.set('net.x.ttl', 12);
    const next = tree.branch(two).define('net.x.ttl', ttl);
    tree.commit(two);
    expect(next.value).toBe(12);
  });

  it('lets a module set its own as if by hand, and tells it', () => {
    const { tree, live } = setup();
    const of = owner('x#1');
    const seen: unknown[] = [];
    const branch = tree.branch(of);
    const setting = branch.define('net.x.ttl', ttl, (value) => seen.push(value));
    tree.commit(of);
    branch.set('net.x.ttl', 7);
    expect([setting.value, seen]).toEqual([7, [7]]);
    expect(() => branch.set('net.x.ttl', 300)).toThrow('takes an integer from 1 to 255');
    expect(() => tree.branch(owner('y#1')).set('net.x.ttl', 8)).toThrow('ENOENT: y#1 has no setting net.x.ttl');
    expect(live('x#2').setting.value).toBe(7);
  });

  it('refuses a name that another module has, staged or live, and one twice', () => {
    const { tree, live } = setup();
    tree.branch(owner('y#1')).define('net.y', bool);
    expect(() => tree.branch(owner('z#1')).define('net.y', bool)).toThrow('EEXIST: net.y is defined by y#1 already');
    const { of } = live('x#1');
    expect(() => tree.branch(of).define('net.x.ttl', ttl)).toThrow('EEXIST: net.x.ttl is defined by x#1 already');
    expect(() => tree.branch(owner('xx#1')).define('net.x.ttl', ttl)).toThrow('EEXIST');
    expect(tree.countOf(of)).toBe(1);
  });

  it.each(['net', 'Net.x', 'net..x', 'net.x.', '.net.x', 'net.x y', ''])('refuses the name "%s"', (name) => {
    expect(() => setup().tree.branch(owner('x#1')).define(name, bool)).toThrow(`EINVAL: '${name}' is no name for a setting`);
  });

  it('takes names of interfaces', () => {
    const { tree } = setup();
    const branch = tree.branch(owner('x#1'));
    for (const name of ['net.ipv4.conf.Eth0:1.mtu', 'net.ipv4.conf.veth@h1.mtu', 'net.ipv4.conf.eth0.100.mtu']) branch.define(name, bool);
  });

  it.each([
    [{ type: 'int', default: 0, min: 1, max: 9 }, /the default of net.a takes an integer from 1 to 9, got 0/],
    [{ type: 'int', default: 0, min: 9, max: 1 }, /net.a: its range 9 to 1 is empty/],
    [{ type: 'enum', default: 'x', values: ['a', 'b'] }, /takes one of a, b, got 'x'/],
    [{ type: 'string', default: 'long', maxLength: 3 }, /takes a text of up to 3 characters, got 'long'/],
  ] as [SettingSpec, RegExp][])('refuses the spec %j', (spec, why) => {
    const { tree } = setup();
    const of = owner('x#1');
    expect(() => tree.branch(of).define('net.a', { ...spec, summary: '' })).toThrow(why);
    expect(tree.countOf(of)).toBe(0);
  });

  it('reports a callback that throws; the value stays', () => {
    const { tree, faults } = setup();
    const of = owner('x#1', 42);
    tree.branch(of).define('net.x.ttl', ttl, () => {
      throw new Error('oops');
    });
    tree.commit(of);
    tree.set('net.x.ttl', 5);
    expect([tree.get('net.x.ttl'), faults]).toEqual([5, ['42 Error: oops sysctl net.x.ttl']]);
  });
});

describe('SysctlTree, through the life of a module', () => {
  it('hides what is staged, shows what is live, refuses to set what is shut, forgets what is gone', () => {
    const { tree } = setup();
    const of = owner('x#1');
    const branch = tree.branch(of);
    const setting = branch.define('net.x.ttl', ttl);
    expect([tree.list(), setting.value, tree.countOf(of)]).toEqual([[], 64, 1]);
    expect(() => tree.get('net.x.ttl')).toThrow('ENOENT');
    tree.commit(of);
    branch.define('net.x.eth0', bool);
    expect(tree.list('net.x.')).toHaveLength(2);
    tree.shut(of);
    expect(() => tree.set('net.x.ttl', 5)).toThrow('ESHUTDOWN: net.x.ttl cannot be set: its module x#1 is leaving');
    expect(tree.get('net.x.ttl')).toBe(64);
    tree.reopen(of);
    tree.set('net.x.ttl', 5);
    tree.remove(of);
    tree.remove(of);
    expect([tree.list(), tree.countOf(of), setting.value]).toEqual([[], 0, 5]);
    expect(() => branch.define('net.x.ttl', ttl)).toThrow('x#1: defines the setting net.x.ttl though it is gone');
  });

  it('takes back what is staged when the start fails: the name is free', () => {
    const { tree, live } = setup();
    const failed = owner('y#1');
    tree.branch(failed).define('net.x.ttl', ttl);
    tree.remove(failed);
    live('x#1');
    expect(tree.list()[0]?.module).toBe('x#1');
  });

  it('on replace, carries over what was set by hand, and tells the module', () => {
    const { tree, live, resets } = setup();
    const one = live('x#1');
    tree.set('net.x.ttl', 9);
    tree.shut(one.of);
    const seen: unknown[] = [];
    const two = live('x#2', { ...ttl, default: 100 }, (value) => seen.push(value));
    expect([two.setting.value, seen, tree.list()[0]?.module, resets]).toEqual([9, [9], 'x#2', []]);
    tree.set('net.x.ttl', 10);
    expect([one.setting.value, two.setting.value]).toEqual([9, 10]);
    tree.remove(one.of);
    expect(tree.get('net.x.ttl')).toBe(10);
    expect(live('x#3').setting.value).toBe(10);
  });

  it('does not carry over defaults, nor before the new generation is live', () => {
    const { tree, live } = setup();
    live('x#1');
    expect(live('x#2', { ...ttl, default: 100 }).setting.value).toBe(100);
    tree.set('net.x.ttl', 7);
    const three = owner('x#3');
    const setting = tree.branch(three).define('net.x.ttl', ttl);
    tree.set('net.x.ttl', 8);
    expect([setting.value, tree.list()[0]?.module]).toEqual([64, 'x#2']);
    tree.commit(three);
    expect(setting.value).toBe(8);
  });

  it('counts a value as chosen though it equals the default', () => {
    const { tree, live } = setup();
    live('x#1');
    tree.set('net.x.ttl', 64);
    expect(live('x#2', { ...ttl, default: 100 }).setting.value).toBe(64);
  });

  it('reports what cannot be carried over', () => {
    const { tree, live, resets } = setup();
    live('x#1');
    tree.set('net.x.ttl', 200);
    expect(live('x#2', { ...ttl, max: 100 }).setting.value).toBe(64);
    expect(resets).toEqual(["x#2: net.x.ttl was set to '200' in x#1; x#2 takes an integer from 1 to 100, so it is '64' now, the default"]);
    expect(live('x#3', { ...ttl, default: 99 }).setting.value).toBe(99);
  });

  it('carries over by text where the type changed', () => {
    const { tree, live } = setup();
    live('x#1');
    tree.set('net.x.ttl', 1);
    expect(live('x#2', bool).setting.value).toBe(true);
  });

  it('gives the name back when the new generation goes first', () => {
    const { tree, live } = setup();
    const one = live('x#1');
    tree.set('net.x.ttl', 9);
    const two = live('x#2');
    tree.set('net.x.ttl', 10);
    tree.remove(two.of);
    expect([tree.get('net.x.ttl'), tree.list()[0]?.module]).toEqual([9, 'x#1']);
    tree.remove(one.of);
    expect(tree.list()).toEqual([]);
  });

  it('carries over to settings that the new generation defines late', () => {
    const { tree, live } = setup();
    live('x#1');
    tree.set('net.x.ttl', 9);
    const two = owner('x#2');
    const branch = tree.branch(two);
    tree.commit(two);
    expect(tree.list()[0]?.module).toBe('x#1');
    expect(branch.define('net.x.ttl', ttl).value).toBe(9);
    expect(tree.list()[0]?.module).toBe('x#2');
  });

  it('leaves the new generation in front when the old one defines a name late', () => {
    const { tree, live } = setup();
    const one = owner('x#1');
    const branch = tree.branch(one);
    tree.commit(one);
    live('x#2');
    tree.set('net.x.ttl', 9);
    expect(branch.define('net.x.ttl', ttl).value).toBe(64);
    expect([tree.get('net.x.ttl'), tree.list()[0]?.module]).toEqual([9, 'x#2']);
  });
});
