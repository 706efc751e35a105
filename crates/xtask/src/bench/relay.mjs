// The same task in Node with the package `ws`: rooms, and forwarding signals with `from` set. It has no other part of the server.
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";

const { WebSocketServer } = createRequire(`${process.argv[2]}/`)("ws");
const rooms = new Map();

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false, backlog: 1024 }, () =>
  console.log(`listening on ${server.address().port}`),
);
server.on("connection", (socket) => {
  let room;
  const id = randomUUID();
  socket.on("message", (data) => {
    const message = JSON.parse(data);
    if (message.type === "join") {
      room = rooms.get(message.room);
      if (!room) rooms.set(message.room, (room = new Map()));
      const joined = JSON.stringify({ type: "peer_joined", member: { id, name: message.name } });
      for (const other of room.values()) other.send(joined);
      socket.send(JSON.stringify({ type: "joined", you: id, members: [...room.keys()] }));
      room.set(id, socket);
    } else if (message.type === "signal") {
      const { to, ...signal } = message;
      room?.get(to)?.send(JSON.stringify({ ...signal, from: id }));
    }
  });
  socket.on("close", () => room?.delete(id));
});
