import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Round trips of `PING` on one connection to a Redis, one after the other, in milliseconds. */
export async function roundTrips(host: string, port: number, count: number, signal: AbortSignal): Promise<number[]> {
  const socket = connect({ host, port, noDelay: true, signal });
  try {
    await once(socket, 'connect', { signal });
    const took: number[] = [];
    for (let i = 0; i < count; i++) took.push(await roundTrip(socket, signal));
    return took;
  } finally {
    socket.destroy();
  }
}

async function roundTrip(socket: Socket, signal: AbortSignal): Promise<number> {
  const began = performance.now();
  socket.write('PING\r\n');
  const [answer] = (await once(socket, 'data', { signal })) as [Buffer];
  if (!answer.toString().startsWith('+PONG')) throw new Error(`Redis answered ${answer.toString().slice(0, 100)}`);
  return performance.now() - began;
}
