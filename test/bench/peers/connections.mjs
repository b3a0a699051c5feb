// Prepared statements on pipelined connections. An INSERT waits for the WAL to be flushed, and whatever is pipelined behind it waits
// too: so readers and writers have connections of their own.
import pg from 'pg';

export async function connect(connectionString, { readers = 4, writers = 16 } = {}) {
  const [reading, writing] = await Promise.all([readers, writers].map((count) => open(connectionString, count)));
  return { read: inTurn(reading), write: inTurn(writing) };
}

function open(connectionString, count) {
  const one = async () => {
    const client = new pg.Client({ connectionString, pipeline: true });
    await client.connect();
    return client;
  };
  return Promise.all(Array.from({ length: count }, one));
}

function inTurn(clients) {
  let turn = 0;
  return (statement, values) => {
    turn = (turn + 1) % clients.length;
    return clients[turn].query({ ...statement, values, rowMode: 'array' });
  };
}
