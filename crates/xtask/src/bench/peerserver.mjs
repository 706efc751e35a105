// PeerServer, as its documentation starts it.
import { createRequire } from "node:module";

const { PeerServer } = createRequire(`${process.argv[2]}/`)("peer");
PeerServer({ host: "127.0.0.1", port: 0, path: "/peerjs", concurrent_limit: 100000 }, (server) =>
  console.log(`listening on ${server.address().port}`),
);
