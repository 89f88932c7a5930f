import { definePoint, defineService, one, optional, some } from '@softnet/contract';
import { describe, expect, test } from 'vitest';
import { makeModule, virtualKernel } from './inn.ts';

const Route = defineService<object>({ name: 'Route', version: '1.4.0' });
const Socket = defineService<object>({ name: 'Socket', version: '2.0.0' });
const Xfrm = defineService<object>({ name: 'Xfrm', version: '1.0.0' });
const Layer = definePoint<object>({ name: 'Layer', version: '1.0.0' });

const route = () => makeModule('route', [], [Route]);
const socket = () => makeModule('socket', [one(Route)], [Socket]);
const ipv4 = () => makeModule('ipv4', [one(Route), optional(Xfrm)], [Layer]);
const ipv6 = () => makeModule('ipv6', [one(Route)], [Layer]);
const tcp = () => makeModule('tcp', [one(Socket, '^2.0.0'), some(Layer)], []);

describe('guarantee 6: load resolves requirements and order, cascade unloads dependents first', () => {
  test('what is required is loaded first, from what was offered', async () => {
    const kernel = virtualKernel();
    kernel.offer(tcp(), ipv4(), socket(), route());
    await kernel.load('tcp');
    const names = kernel.modules().map(({ name }) => name);
    expect([...names].sort()).toEqual(['ipv4', 'route', 'socket', 'tcp']);
    expect(names.indexOf('route')).toBeLessThan(names.indexOf('socket'));
    expect(names.at(-1)).toBe('tcp');
    expect([...(kernel.module('tcp')?.needs ?? [])].sort()).toEqual(['ipv4#1', 'socket#1']);
  });

  test('`some`: one contributor may go as long as another stays; `optional` holds nothing up', async () => {
    const kernel = virtualKernel();
    kernel.offer(route(), socket(), ipv4(), tcp());
    await kernel.load('tcp');
    await kernel.load(ipv6());
    await kernel.load(makeModule('xfrm', [], [Xfrm]));
    expect((await kernel.unload('xfrm')).gone).toEqual(['xfrm#1']);
    expect((await kernel.unload('ipv6')).gone).toEqual(['ipv6#1']);
    await expect(kernel.unload('ipv4')).rejects.toMatchObject({ code: 'EBUSY', message: expect.stringContaining('tcp#1') });
    await kernel.load(ipv6());
    expect((await kernel.unload('ipv4')).gone).toEqual(['ipv4#1']);
    const report = await kernel.unload('route', { cascade: true });
    expect(report.gone.at(-1)).toBe('route#1');
    expect(report.gone.indexOf('tcp#1')).toBeLessThan(report.gone.indexOf('socket#1'));
    expect(report.gone.indexOf('tcp#1')).toBeLessThan(report.gone.indexOf('ipv6#2'));
    expect(kernel.modules()).toEqual([]);
  });

  test('cycles are refused with the path', async () => {
    const kernel = virtualKernel();
    kernel.offer(makeModule('a', [one(Route)], [Socket]), makeModule('b', [one(Xfrm)], [Route]), makeModule('c', [one(Socket)], [Xfrm]));
    await expect(kernel.load('a')).rejects.toMatchObject({ code: 'ELOOP', message: expect.stringContaining('a → b → c → a') });
    expect(kernel.modules()).toEqual([]);
  });

  test('a requirement that is missing, and one of another version', async () => {
    const kernel = virtualKernel();
    await expect(kernel.load(socket())).rejects.toMatchObject({ code: 'ENOENT', message: expect.stringMatching(/socket.*Route/) });
    await kernel.load(route());
    const picky = makeModule('picky', [one(Route, '^1.5.0')]);
    await expect(kernel.load(picky)).rejects.toMatchObject({
      code: 'ELIBBAD',
      message: expect.stringMatching(/picky.*Route.*1\.5\.0.*1\.4\.0/),
    });
    expect(kernel.modules().map(({ name }) => name)).toEqual(['route']);
  });

  test('a provider that leaves takes nobody new', async () => {
    const kernel = virtualKernel();
    await kernel.load(route());
    await kernel.load(socket());
    const unload = kernel.unload('route', { cascade: true });
    await expect(kernel.load(ipv4())).rejects.toMatchObject({ code: 'ESHUTDOWN', message: expect.stringContaining('route') });
    await unload;
  });

  test('who is unloaded on its own while it leaves in a cascade is waited for alone', async () => {
    const kernel = virtualKernel();
    await kernel.load(route());
    await kernel.load(socket());
    const both = kernel.unload('route', { cascade: true });
    expect((await kernel.unload('socket')).module).toBe('socket#1');
    expect((await both).gone).toEqual(['socket#1', 'route#1']);
  });
});
