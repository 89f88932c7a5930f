import { describe, expect, test } from 'vitest';
import { PlainOutput } from '../session/plain-output.ts';
import { report } from './report.ts';
import { bootScene } from './scene.ts';

async function play(seed: number): Promise<{ code: number; text: string }> {
  let text = '';
  const output = new PlainOutput((line) => {
    text += line;
  });
  const code = await report(await bootScene({ clock: 'virtual', seed, debug: false }), output, false);
  return { code, text };
}

describe('the report', () => {
  test('keeps every promise, in lines that fit', async () => {
    const { code, text } = await play(1);
    expect(text).not.toContain('BROKEN');
    expect(code).toBe(0);
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(130);
    for (const line of text.split('\n').filter((each) => /^[\w#-]+ {2}/.test(each))) expect(line.length, line).toBeLessThanOrEqual(100);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point
    expect(text).not.toMatch(/\x1b/);
  });

  test('is the same, letter for letter, for the same seed, and another for another', async () => {
    const [one, same, other] = [await play(7), await play(7), await play(8)];
    expect(one.text).toBe(same.text);
    expect(one.text).not.toBe(other.text);
    expect([one.code, other.code]).toEqual([0, 0]);
  });

  test('a broken promise is said, and is the exit code', async () => {
    let text = '';
    const scene = await bootScene({ clock: 'virtual', seed: 1, debug: false });
    // Nobody talks, and the second build is not there.
    for (const kernel of scene.kernels) kernel.sysctl.set('traffic.clients', 0);
    const output = new PlainOutput((line) => {
      text += line;
    });
    expect(await report({ ...scene, catalogue: {} }, output, false)).toBe(1);
    expect(text).toMatch(/\[BROKEN\] bytes move/);
    expect(text).toMatch(/\[BROKEN\] 'replace talk talk2' works/);
  });
});
