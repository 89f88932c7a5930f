// The Linux side of UDP in a network namespace, on Node's own sockets, which are the Linux kernel's.
//   datagrams.mjs serve PORT                   echoes on both families; prints 'ready'
//   datagrams.mjs client ADDRESS PORT SIZES    sends one of each size, checks each echo; prints a line of JSON
//   datagrams.mjs flows ADDRESS PORT COUNT     so many sockets send some, and wait for each echo; prints how many came
import { createSocket } from 'node:dgram';

const [mode, ...words] = process.argv.slice(2);
if (mode === 'serve') serve(Number(words[0]));
else if (mode === 'flows') console.log(await flows(words[0], Number(words[1]), Number(words[2])));
else process.exitCode = await client(words[0], Number(words[1]), words[2].split(',').map(Number));

function serve(port) {
  const socket = createSocket({ type: 'udp6', ipv6Only: false, recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
  socket.on('message', (data, from) => socket.send(data, from.port, from.address));
  socket.bind(port, '::', () => console.log('ready'));
}

async function client(address, port, sizes) {
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
  const wrong = [];
  await new Promise((resolve) => socket.connect(port, address, resolve));
  for (const size of sizes) {
    const sent = Buffer.alloc(size).map((_, i) => (i * 31 + size) & 0xff);
    const answer = new Promise((resolve) => {
      const late = setTimeout(() => resolve('no answer'), 3000);
      const end = (result) => {
        clearTimeout(late);
        resolve(result);
      };
      socket.once('message', (data) => end(data.equals(sent) ? 'same' : `other bytes: ${data.length}`));
      socket.once('error', ({ code }) => end(code));
    });
    socket.send(sent);
    const result = await answer;
    socket.removeAllListeners('message').removeAllListeners('error');
    if (result !== 'same') wrong.push(`${size}: ${result}`);
  }
  socket.close();
  console.log(JSON.stringify({ sizes: sizes.length, wrong }));
  return wrong.length === 0 ? 0 : 1;
}

async function flows(address, port, count) {
  const one = async (number) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    await new Promise((resolve) => socket.connect(port, address, resolve));
    let echoes = 0;
    for (let i = 0; i < 3; i++) {
      const sent = Buffer.alloc(100, number + i);
      const answer = new Promise((resolve) => socket.once('message', (data) => resolve(data.equals(sent))));
      socket.send(sent);
      if (await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 2000, false).unref())])) echoes++;
    }
    socket.close();
    return echoes;
  };
  const all = await Promise.all(Array.from({ length: count }, (_, number) => one(number)));
  return all.reduce((sum, echoes) => sum + echoes, 0);
}
