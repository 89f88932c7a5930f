import { fileURLToPath } from 'node:url';
import type { TcpLink } from './tcp-link.ts';

const PROGRAM = fileURLToPath(new URL('tcp-peer.py', import.meta.url));

/** Runs `tcp-peer.py` to its end. @param ready called once it listens, or is about to connect. Rejects with what it complained of. */
export async function tcpPeer<T>(link: TcpLink, words: readonly (string | number)[], ready?: () => void): Promise<T> {
  let isReady = false;
  const onSaid = (text: string): void => {
    if (isReady || !text.startsWith('ready')) return;
    isReady = true;
    ready?.();
  };
  const { code, stdout, stderr } = await link.run(['python3', PROGRAM, ...words], { onSaid });
  if (code !== 0) throw new Error(`tcp-peer.py ${words.join(' ')}: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as T;
}
