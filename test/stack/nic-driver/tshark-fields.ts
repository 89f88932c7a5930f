import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Fields of each packet of a capture, as tshark reads it; null: it is not installed. Rejects when it says anything else. */
export async function tsharkFields(file: Uint8Array, fields: readonly string[], filter = ''): Promise<string[][] | null> {
  const folder = mkdtempSync(join(tmpdir(), 'softnet-pcap-'));
  const path = join(folder, 'capture.pcapng');
  writeFileSync(path, file);
  const args = ['-n', '-r', path, '-Y', filter, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])];
  try {
    return await new Promise((resolve, reject) => {
      execFile('tshark', args, (error, stdout, stderr) => {
        const said = stderr.split('\n').filter((line) => line !== '' && !/running as user "root"/i.test(line));
        if ((error as NodeJS.ErrnoException | null)?.code === 'ENOENT') return resolve(null);
        if (error !== null || said.length > 0) return reject(new Error(`tshark: ${said.join('; ') || error?.message}`));
        resolve(
          stdout
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => line.split('\t')),
        );
      });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
