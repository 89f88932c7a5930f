import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What tshark makes of a capture. */
export interface Reading {
  readonly packets: number;
  /** Lines about packets that it calls malformed, or warns of. */
  readonly complaints: readonly string[];
}

/** Of ICMP they always are. */
const CHECKSUMS = ['ip.check_checksum', 'udp.check_checksum', 'tcp.check_checksum'];

/** ICMP errors quote what was refused, and say so: a note to Wireshark, as is a request that it sees no answer to. */
const COMPLAINT = '_ws.malformed || _ws.expert.severity >= "Warning"';

/** Reads a capture with every checksum verified; null: there is no tshark. Rejects where it cannot read the file. */
export function tsharkComplaints(bytes: Uint8Array): Promise<Reading | null> {
  return withFile(bytes, async (file) => {
    // At once: on a busy machine it takes seconds to start.
    const [all, complaints] = await Promise.all([tshark(file, []), tshark(file, ['-Y', COMPLAINT])]);
    return all === null ? null : { packets: all.length, complaints: complaints! };
  });
}

/** These fields of each packet that fits the filter; null: there is no tshark. */
export function tsharkFields(bytes: Uint8Array, filter: string, fields: readonly string[]): Promise<string[][] | null> {
  return withFile(bytes, async (file) => {
    const lines = await tshark(file, ['-Y', filter, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])]);
    return lines?.map((line) => line.split('\t')) ?? null;
  });
}

async function withFile<T>(bytes: Uint8Array, use: (file: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'softnet-capture-'));
  const file = join(folder, 'capture.pcapng');
  writeFileSync(file, bytes);
  try {
    return await use(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function tshark(file: string, args: readonly string[]): Promise<string[] | null> {
  const options = CHECKSUMS.flatMap((name) => ['-o', `${name}:TRUE`]);
  return new Promise((resolve, reject) => {
    execFile('tshark', ['-n', ...options, '-r', file, ...args], { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const said = stderr.split('\n').filter((line) => line !== '' && !/running as user "root"/i.test(line));
      if (error !== null && (error as NodeJS.ErrnoException).code === 'ENOENT') resolve(null);
      else if (error !== null || said.length > 0) reject(new Error(`tshark: ${said.join('; ') || error?.message}`));
      else resolve(stdout.split('\n').filter((line) => line !== ''));
    });
  });
}
