import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packetdrill } from './packetdrill.ts';

const GOOD = '0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n+0 connect(3, ..., ...) = 0\n+0 write(3, ..., 5) = 5\n+0 > udp (5)\n';
const BAD = GOOD.replace('(5)\n', '(6)\n');
let folder: string;
let printed: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'packetdrill-'));
  writeFileSync(join(folder, 'good.pkt'), GOOD);
  writeFileSync(join(folder, 'bad.pkt'), BAD);
  printed = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

const run = (paths: readonly string[], options: Parameters<typeof packetdrill>[1] = {}) =>
  packetdrill(
    paths.map((path) => join(folder, path)),
    options,
    (text) => printed.push(text),
  );

test('says of each what became of it', async () => {
  expect(await run(['good.pkt'])).toBe(0);
  expect(printed.at(-1)).toBe('1 script: 1 passed, 0 failed as expected, 0 not as expected');
  expect(await run(['.'])).toBe(1);
  expect(printed.join('\n')).toContain('bad.pkt:4: failed at 0.000000 s: a packet differs: its length is 5, not 6');
});

test('a list of those that are to fail, which one that passes is to leave', async () => {
  writeFileSync(join(folder, 'list.txt'), '# why\nbad.pkt  # so\n');
  expect(await run(['.'], { expectFail: join(folder, 'list.txt') })).toBe(0);
  writeFileSync(join(folder, 'list.txt'), 'bad.pkt\ngood.pkt\n');
  expect(await run(['.'], { expectFail: join(folder, 'list.txt') })).toBe(1);
  expect(printed.join('\n')).toContain('take it off the list');
  await expect(run(['.'], { expectFail: join(folder, 'none.txt') })).rejects.toThrow('cannot be read');
});

test('JSON, line by line; captures; options of the script from outside', async () => {
  await run(['bad.pkt'], { json: true });
  expect(JSON.parse(printed[0]!)).toMatchObject({ passed: false, line: 4, timeUs: 0, asExpected: false, expected: '+0 > udp (6)' });
  await run(['good.pkt'], { verbose: true, pcap: join(folder, 'captures'), overrides: { ip_version: 'ipv6' } });
  expect(printed[1]).toContain('0.000000 s +0 write(3, ..., 5) = 5');
  expect(readdirSync(join(folder, 'captures'))).toEqual(['good.pcapng']);
  writeFileSync(join(folder, 'defined.pkt'), GOOD.replace('SOCK_DGRAM', 'KIND'));
  expect(await run(['defined.pkt'], { define: ['KIND=SOCK_DGRAM'] })).toBe(0);
  await expect(run(['good.pkt'], { define: ['KIND'] })).rejects.toThrow('-D takes NAME=VALUE');
  await expect(run(['nothing.pkt'])).rejects.toThrow('there is no such file');
});
