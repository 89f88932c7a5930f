import { test } from 'vitest';
import { bootNetwork } from './start/network-scene.ts';
import { report } from './start/report.ts';
import { PlainOutput } from './session/plain-output.ts';
test('x', async () => {
  for (const seed of [1, 2, 3]) {
  let text = '';
  const code = await report(await bootNetwork({clock: 'virtual', seed, debug: false}), new PlainOutput((t) => { text += t; }), false);
  console.log(seed === 1 ? text : text.split('\n').filter((l) => /FAILED|fault|kept/.test(l)).join('\n'), code);
  }
}, 120000);
