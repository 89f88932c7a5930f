import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connections } from './examples/connections.ts';
import { datagrams } from './examples/datagrams.ts';
import { webServer } from './examples/web-server.ts';
import type { SoftHost } from './soft-host.ts';
import { CLEAN, softHost } from './soft-host.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

let host: SoftHost;
beforeAll(async () => {
  host = await softHost();
});
afterAll(async () => {
  expect(await host.end()).toEqual(CLEAN);
});

test('every example of the README is one of the files that are run here', () => {
  const readme = readFileSync(`${root}packages/node/README.md`, 'utf8');
  const examples = [...readme.matchAll(/<!-- the same as (\S+) -->\n```ts\n([\s\S]*?)```/g)];
  expect(examples).toHaveLength(readme.match(/```ts/g)!.length);
  expect(examples.map(([, file]) => file)).toEqual(
    ['datagrams', 'connections', 'web-server'].map((name) => `test/faces/examples/${name}.ts`),
  );
  for (const [, file, text] of examples) expect(readFileSync(root + file!, 'utf8')).toBe(text);
});

test.each([
  ['datagrams', datagrams, 'hello, 127.0.0.1'],
  ['connections', connections, 'hello'],
  ['a web server', webServer, 'you asked for /page'],
] as const)('%s', async (_what, example, answer) => {
  expect(await example(host.kernel)).toBe(answer);
});
