// The pages and servers beside which the start of a call is measured: PeerServer, and a WebSocket that passes frames to the other
// page of a room. Arguments: the folder with the npm packages, the folder with the pages, and where to listen.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [packages, pages, host] = process.argv.slice(2);
const require = createRequire(`${packages}/`);
const express = require("express");
const { ExpressPeerServer } = require("peer");
const { WebSocketServer } = require("ws");

const app = express();
const server = createServer(app);
const text = (name) => readFileSync(`${pages}/${name}`, "utf8");
const page = (scripts) =>
  text("page.html").replace("<!-- script -->", scripts.map((script) => `<script src="${script}"></script>`).join(""));
const send = (type, body) => (_, response) =>
  response.set("cache-control", "max-age=3600").type(type).send(body);
app.get("/peerjs.html", send("html", page(["/lib.js", "/peerjs.js"])));
app.get("/raw.html", send("html", page(["/raw.js"])));
for (const name of ["common.js", "peerjs.js", "raw.js"]) app.get(`/${name}`, send("js", text(name)));
app.get("/lib.js", send("js", readFileSync(`${packages}/node_modules/peerjs/dist/peerjs.min.js`, "utf8")));

const rooms = new Map();
const relay = new WebSocketServer({ noServer: true, perMessageDeflate: false });
relay.on("connection", (socket) => {
  let members;
  socket.on("message", (data) => {
    const frame = data.toString();
    const { join } = JSON.parse(frame);
    if (join === undefined) {
      for (const other of members ?? []) if (other !== socket) other.send(frame);
      return;
    }
    members = rooms.get(join) ?? new Set();
    rooms.set(join, members);
    members.add(socket);
    socket.send(JSON.stringify({ joined: members.size }));
  });
  socket.on("close", () => members?.delete(socket));
});

// PeerServer takes the upgrades of its own path.
const upgradeRaw = (request, socket, head) => {
  if (request.url.startsWith("/raw")) {
    relay.handleUpgrade(request, socket, head, (opened) => relay.emit("connection", opened));
  }
};
server.listen(0, host, () => {
  app.use("/", ExpressPeerServer(server, { path: "/peerjs" }));
  const peerUpgrades = server.listeners("upgrade");
  server.removeAllListeners("upgrade");
  server.on("upgrade", (request, socket, head) => {
    if (request.url.startsWith("/raw")) return upgradeRaw(request, socket, head);
    for (const listener of peerUpgrades) listener.call(server, request, socket, head);
  });
  console.log(`listening on ${server.address().port}`);
});
