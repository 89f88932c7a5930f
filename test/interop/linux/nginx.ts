import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TcpLink } from './tcp-link.ts';

/** nginx in the namespace, with one page. */
export interface Nginx {
  readonly port: number;
  end(): void;
}

/** @param page what is at `/page`. */
export async function serveByNginx(link: TcpLink, page: Uint8Array): Promise<Nginx> {
  const [folder, port] = [mkdtempSync(join(tmpdir(), 'softnet-nginx-')), link.port()];
  mkdirSync(join(folder, 'www'));
  writeFileSync(join(folder, 'www', 'page'), page);
  writeFileSync(
    join(folder, 'conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr warn; events { }
    http {
      access_log off;
      ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
      server { listen ${port}; listen [::]:${port}; root ${folder}/www; location /twice { return 200 "twice\\n"; } }
    }`,
  );
  const stop = await link.serve(['nginx', '-e', 'stderr', '-p', folder, '-c', join(folder, 'conf')], port);
  return {
    port,
    end() {
      stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
