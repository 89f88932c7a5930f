import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Netns } from './netns.ts';

const PROGRAM = fileURLToPath(new URL('udp-peer.py', import.meta.url));

/** What `udp-peer.py hear` says. */
export interface Heard {
  readonly lengths: readonly number[];
  readonly wrong: readonly number[];
  /** Of datagrams that came merged: what UDP_GRO told. */
  readonly sizes: readonly number[];
}

/** Why it cannot run; null: it can. */
export function udpPeerSkipReason(): string | null {
  return spawnSync('python3', ['-c', 'import json, socket, struct']).status === 0 ? null : 'python3 is not installed';
}

/** Runs `udp-peer.py` to its end, in a namespace. @param ready called once it listens. Rejects with what it complained of. */
export function udpPeer<T>(linux: Netns, words: readonly (string | number)[], ready?: () => void): Promise<T> {
  const child = spawn('ip', ['netns', 'exec', linux.name, 'python3', PROGRAM, ...words.map(String)]);
  let [said, complained] = ['', ''];
  child.stderr.on('data', (text) => {
    complained += text;
  });
  child.stdout.on('data', (text) => {
    if (said === '' && String(text).startsWith('ready')) ready?.();
    said += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(said.trim().split('\n').at(-1)!));
      else reject(new Error(`udp-peer.py ${words.join(' ')}: ${complained}`));
    });
  });
}

/** The datagram of this number: its number, then what it and the place say. */
export function numbered(index: number, size: number): Uint8Array {
  const data = new Uint8Array(size + 4);
  new DataView(data.buffer).setUint32(0, index);
  for (let at = 0; at < size; at++) data[4 + at] = index * 7 + at * 31 + (at >> 8);
  return data.subarray(0, size);
}
