// The Linux side of TCP in a network namespace, on Node's own sockets, which are the Linux kernel's.
//   streams.mjs serve PORT                   answers each stream with its length and hash at its end; prints 'ready'
//   streams.mjs send PORT BYTES ADDRESS ...  sends so many bytes to each, in turn; prints a line of JSON
import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';

const CHUNK_BYTES = 1 << 18;
const [mode, ...words] = process.argv.slice(2);
if (mode === 'serve') serve(Number(words[0]));
else {
  const ends = [];
  for (const address of words.slice(2)) ends.push(await send(address, Number(words[0]), Number(words[1])));
  console.log(JSON.stringify(ends));
}

function serve(port) {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const hash = createHash('sha1');
    let bytes = 0;
    socket.on('data', (data) => {
      bytes += data.length;
      hash.update(data);
    });
    socket.on('end', () => socket.end(`${bytes} ${hash.digest('hex')}`));
    socket.on('error', () => {});
  });
  server.listen(port, '::', () => console.log('ready'));
}

async function send(address, port, total) {
  const hash = createHash('sha1');
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let i = 0; i < chunk.length; i++) chunk[i] = (i * 31 + (i >> 8) * 7) & 0xff;
  const socket = connect(port, address);
  let answer = '';
  socket.setEncoding('utf8').on('data', (text) => {
    answer += text;
  });
  const over = new Promise((resolve) => {
    socket.on('end', () => resolve(null));
    socket.on('error', ({ code }) => resolve(code));
  });
  const beganMs = performance.now();
  for (let sent = 0; sent < total; sent += CHUNK_BYTES) {
    const part = chunk.subarray(0, Math.min(CHUNK_BYTES, total - sent));
    hash.update(part);
    if (!socket.write(part)) await Promise.race([over, new Promise((resolve) => socket.once('drain', resolve))]);
    if (socket.destroyed) break;
  }
  socket.end();
  const error = await over;
  const seconds = (performance.now() - beganMs) / 1000;
  return { same: answer === `${total} ${hash.digest('hex')}`, error, seconds };
}
