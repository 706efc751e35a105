// Makes the page a hostile member: floods everybody in the room with one kind of message, with ever new ids, as fast as the way takes
// them. `arguments[0]` is the kind; "nothing" ends it.
const [kind] = arguments;
const probe = window.sightlineProbe;
clearInterval(probe.flood);
const channels = (label) =>
  probe.channels.filter((channel) => channel.label === label && channel.readyState === "open");
// Messages in a tick of 10 ms: 20,000 a second to each.
const PER_TICK = 200;
const MAX_BUFFERED = 1 << 20;
let number = 0;
const on = (label, message) => () => {
  for (const channel of channels(label)) {
    for (let sent = 0; sent < PER_TICK && channel.bufferedAmount < MAX_BUFFERED; sent += 1) {
      channel.send(message((number += 1)));
    }
  }
};
const json = (message) => (at) => JSON.stringify(message(at));
const description = { description: { kind: "offer", exchange: 1, sdp: "v=0\r\n" } };
// The server forwards 200 messages per second; this many are sent.
const signal = (inside) => () => {
  const socket = probe.sockets.findLast(({ readyState }) => readyState === WebSocket.OPEN);
  for (const to of Object.keys(probe.signals)) {
    socket?.send(`{"type":"signal","to":"${to}",${inside((number += 1), JSON.parse(probe.signals[to]))}}`);
  }
};
const candidate = (rest) => (at, { connection, generation }) =>
  `"connection":"${connection}","generation":${generation},"payload":{"candidate":{"candidate":"x",${rest}}}`;
const large = "x".repeat(200_000);
const frame = new Uint8Array(64);
frame[0] = 1;
const floods = {
  chat: [10, on("control", json((at) => ({ type: "chat", id: `c${at}`, text: `noise ${at}`, sent_at_ms: 0 })))],
  states: [10, on("control", json((at) => ({ type: "state", microphone: at % 2 === 0, source: "none" })))],
  offers: [
    10,
    on("control", json((at) => {
      const transfer = `t${at >> 1}`;
      if (at % 2) return { type: "transfer_end", transfer, reason: "cancelled" };
      return { type: "transfer_offer", transfer, sequence: 1, number: at, name: "a", size_bytes: 5, modified_ms: 0 };
    })),
  ],
  garbage: [10, on("control", (at) => `{"type":"chat","id":${at}`)],
  "huge messages": [10, on("control", () => large)],
  frames: [10, on("bulk", () => frame)],
  telemetry: [10, on("telemetry", json((at) => ({ type: "ping", nonce: at })))],
  "bulk connections": [
    10,
    on("control", json((at) => ({ type: "bulk_signal", connection: `b${at}`, payload: description }))),
  ],
  "new connections": [20, signal((at) => `"connection":"n${at}","generation":0,"payload":${JSON.stringify(description)}`)],
  "a number that is none": [20, signal(candidate('"u":1e999'))],
  "a lone surrogate": [20, signal(candidate('"u":"\\ud800"'))],
  "deep brackets": [20, signal(candidate(`"u":${"[".repeat(200)}${"]".repeat(200)}`))],
};
if (kind !== "nothing") {
  const [interval, flood] = floods[kind];
  probe.flood = setInterval(() => {
    try {
      flood();
    } catch {
      // The other side closed the channel.
    }
  }, interval);
}
