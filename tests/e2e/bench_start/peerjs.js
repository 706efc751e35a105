// A minimal call with PeerJS, as in its documentation: one page waits under an id, the other one calls it.
const options = { host: location.hostname, port: Number(location.port), path: "/peerjs", config: { iceServers: [] } };
(async () => {
  const stream = await capture();
  const answer = (call) => call.on("stream", show);
  if (address.has("wait")) {
    const peer = new Peer(room, options);
    peer.on("open", tellReady);
    peer.on("call", (call) => {
      answer(call);
      call.answer(stream);
    });
    return;
  }
  join.hidden = false;
  join.onclick = () => {
    const peer = new Peer(options);
    peer.on("open", () => answer(peer.call(room, stream)));
  };
})();
