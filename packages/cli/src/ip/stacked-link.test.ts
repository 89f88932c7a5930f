import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testSession } from '../session/test-session.ts';

test('a fault injector on a device: made, changed, counted, removed', async () => {
  const { type, pass } = await testSession({ ms: 0 });
  expect(await type('ip link add flt0 type fault link eth0 loss 0.1')).toMatch(
    /^softnet: EOPNOTSUPP: no module makes devices of kind 'fault'/,
  );
  await type('modprobe fault');
  expect(await type('ip link add flt0 type fault link eth0 loss 0.1 seed 7')).toBe('');
  expect(await type('ip link set flt0 up')).toBe('');
  expect(await type('ip link show flt0')).toMatch(/^\d+: flt0@eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 .* state UP/);
  expect(await type('ip link set flt0 type fault loss 1.5')).toMatch(/EINVAL: fault: loss takes a fraction, 0 to 1; got 1\.5/);
  expect(await type('ip link set flt0 type fault txLoss 1 rxDelayUs 500')).toBe('');
  // What eth0 receives is flt0's.
  await pass(500);
  expect(await type('ip -s link show flt0')).toMatch(
    /^ {4}RX faults: frames [1-9]\d* {2}lost \d+ {2}duplicated 0 {2}reordered 0 {2}corrupted 0 {2}refused 0$/m,
  );
  expect(await type('ip link add x type trace link eth0')).toMatch(/no module makes devices of kind 'trace'/);
  expect(await type('ip link set eth0 type wire end 1')).toMatch(/nothing can be set/);
  expect(await type('ip link del flt0')).toBe('');
  expect(await type('rmmod fault')).toMatch(/gone/);
});

test('a trace and a capture into a file, one on the other', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'softnet-stacked-'));
  try {
    const { type, pass } = await testSession({ ms: 0 });
    await type('modprobe trace');
    await type('modprobe capture');
    const file = join(folder, 'x.pcapng');
    expect(await type(`ip link add cap0 type capture link eth0 file ${file}`)).toBe('');
    expect(await type('ip link add trc0 type trace link cap0')).toBe('');
    expect(await type(`ip link add cap1 type capture link trc0 file ${join(folder, 'none', 'x')}`)).toMatch(/EACCES: .* cannot be written/);
    for (const name of ['cap0', 'trc0']) await type(`ip link set ${name} up`);
    await pass(500);
    expect(await type('ip -s link show trc0')).toMatch(/^ {4}\d+\.\d{6} trc0 In {2}(IP6?|ARP),? /m);
    await type('ip link del cap0');
    expect(await type('ip link')).not.toMatch(/cap0|trc0/);
    expect(existsSync(file)).toBe(true);
    expect(readFileSync(file).readUInt32LE(0)).toBe(0x0a0d0d0a);
    expect(readFileSync(file).length).toBeGreaterThan(500);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
