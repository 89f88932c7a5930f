import { describe, expect, test } from 'vitest';
import { PlainOutput } from '../session/plain-output.ts';
import { bootNetwork } from './network-scene.ts';
import { report } from './report.ts';
import type { Scene } from './scene.ts';

async function play(seed: number, prepare: (scene: Scene) => void = () => undefined): Promise<{ code: number; text: string }> {
  let text = '';
  const output = new PlainOutput((line) => {
    text += line;
  });
  const scene = await bootNetwork({ clock: 'virtual', seed, debug: false });
  prepare(scene);
  const code = await report(scene, output, false);
  return { code, text: text.replace(/\S+eth0\.pcapng/g, 'FILE') };
}

describe('the report', () => {
  test('keeps every promise, in lines that fit; the same for the same seed on virtual time', async () => {
    const { code, text } = await play(1);
    expect(text).not.toContain('FAILED');
    expect(code).toBe(0);
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(180);
    for (const line of text.split('\n').filter((each) => /^[\w#-]+ {2}/.test(each))) expect(line.length, line).toBeLessThanOrEqual(100);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point
    expect(text).not.toMatch(/\x1b/);
    expect((await play(1)).text).toBe(text);
    expect((await play(2)).text).not.toBe(text);
  });

  test('keeps them for another seed', async () => {
    const { text } = await play(8);
    expect(text.split('\n').filter((line) => /FAILED|^fault|^leak/.test(line))).toEqual([]);
  });

  test('a broken promise is said, and is the exit code', async () => {
    // Nobody talks, and b has no echo service.
    const { code, text } = await play(1, ({ kernels }) => {
      for (const kernel of [kernels[0]!, kernels[2]!]) kernel.sysctl.set('traffic.clients', 0);
      void kernels[2]!.unload('udp-echo');
    });
    expect(code).toBe(1);
    expect(text).toMatch(/\[FAILED\] udp-echo at 10\.0\.2\.2 sends back what it gets/);
    expect(text).toMatch(/\[FAILED\] all four sorts are answered/);
    expect(text).toMatch(/\[ok\] 10\.0\.2\.2 answers/);
    expect(text).toMatch(/^\d+ promises kept, [1-9]\d* broken/m);
  });
});
