// A server that stands in between: it has a peer connection with each of two pages, under the name of the other one, and passes on every
// message of their channels. arguments: the rooms of both pages, and their names. The second page is in its room already.
const [rooms, names] = arguments;
const channels = [
  ["control", { id: 1 }],
  ["telemetry", { id: 2, ordered: false, maxRetransmits: 0 }],
];

function join(room, name) {
  const socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws`);
  const connection = new RTCPeerConnection();
  const side = { socket, connection, channels: {} };
  for (const [label, options] of channels) {
    side.channels[label] = connection.createDataChannel(label, { negotiated: true, ...options });
  }
  connection.createDataChannel("bulk", { negotiated: true, id: 3, ordered: false });
  const tell = (payload) => socket.send(JSON.stringify({ type: "signal", ...side.link, payload }));
  const describe = async (exchange) => {
    await connection.setLocalDescription();
    const { type, sdp } = connection.localDescription;
    tell({ description: { kind: type, exchange, sdp } });
  };
  connection.onicecandidate = ({ candidate }) => {
    if (candidate) {
      const { sdpMid, sdpMLineIndex, usernameFragment } = candidate;
      const told = { candidate: candidate.candidate, sdp_mid: sdpMid, sdp_m_line_index: sdpMLineIndex, ufrag: usernameFragment };
      tell({ candidate: told });
    }
  };
  const handle = async (message) => {
    if (message.type === "joined" && message.members.length > 0) {
      side.link = { to: message.members[0].id, connection: `mallory-${name}`, generation: 0 };
      for (const kind of ["audio", "video", "audio"]) connection.addTransceiver(kind);
      await describe(1);
    }
    if (message.type !== "signal") return;
    const { from, connection: id, generation, payload } = message;
    side.link ??= { to: from, connection: id, generation };
    if (payload.description) {
      const { kind, exchange, sdp } = payload.description;
      await connection.setRemoteDescription({ type: kind, sdp });
      if (kind === "offer") await describe(exchange);
    } else if (payload.candidate?.candidate) {
      const { candidate, sdp_mid, sdp_m_line_index, ufrag } = payload.candidate;
      await connection.addIceCandidate({ candidate, sdpMid: sdp_mid, sdpMLineIndex: sdp_m_line_index, usernameFragment: ufrag });
    }
  };
  return new Promise((resolve) => {
    let handled = Promise.resolve();
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      handled = handled.then(() => handle(message)).catch((error) => console.warn(String(error)));
      if (message.type === "joined") resolve(side);
    };
    socket.onopen = () => {
      const instance = crypto.randomUUID();
      socket.send(JSON.stringify({ type: "join", protocol: 1, room, name, instance }));
    };
  });
}

function pass(from, to) {
  const waiting = [];
  to.onopen = () => waiting.splice(0).forEach((data) => to.send(data));
  from.onmessage = ({ data }) => (to.readyState === "open" ? to.send(data) : waiting.push(data));
}

return (async () => {
  const here = await join(rooms[0], names[1]);
  const there = await join(rooms[1], names[0]);
  for (const [label] of channels) {
    pass(here.channels[label], there.channels[label]);
    pass(there.channels[label], here.channels[label]);
  }
  // Keeps both from being collected.
  globalThis.mallory = [here, there];
  return true;
})();
