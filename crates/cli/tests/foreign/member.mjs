// A minimal member of a room with werift, an implementation of WebRTC that shares no code with ours.
//
// It speaks docs/protocol.md: the chat, the pictures and the sound of an unprotected room. Lines from the standard input are said
// to everybody; events are JSON on the standard output. It repairs nothing. With --show it sends small pictures of VP8, which
// nobody is to decode.
//
//     SIGHTLINE_NODE_MODULES=… node member.mjs ws://127.0.0.1:8080/ws ROOM NAME [--show]

import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.env.SIGHTLINE_NODE_MODULES}/`);
const werift = require("werift");
const { WebSocket } = require("ws");

const [url, room, name] = process.argv.slice(2);
const shows = process.argv.includes("--show");
// Packets after which pictures or sound count as arriving.
const ENOUGH = 10;
// Pictures of 16 times 16, of which a receiver reads only the head.
const KEY = [0x10, 0, 0, 0x9d, 1, 0x2a, 16, 0, 16, 0];
const DELTA = [0x11, 0, 0, 0];
const KEYFRAME_EVERY = 25;
const FRAME_MS = 40;

const emit = (event, fields) => console.log(JSON.stringify({ event, ...fields }));
const randomId = () => randomBytes(8).toString("hex");

/** The peer connection to one member. */
class Link {
  constructor(member, name, connection, generation) {
    Object.assign(this, { member, name, connection, generation });
    this.exchange = 0;
    this.waiting = new Map();
    this.pc = new werift.RTCPeerConnection({
      // The server on this computer needs no STUN.
      iceServers: [],
      bundlePolicy: "max-bundle",
      iceAdditionalHostAddresses: ["127.0.0.1"],
      codecs: { audio: [werift.useOPUS()], video: [werift.useVP8()] },
    });
    this.pc.connectionStateChange.subscribe((state) => emit("state", { name, state }));
    this.pc.onIceCandidate.subscribe((candidate) => {
      if (candidate) this.signal({ candidate: { candidate: candidate.candidate, sdp_m_line_index: 0 } });
    });
    this.pc.onTrack.subscribe((track) => this.count(track));
    const open = (label, options) => this.pc.createDataChannel(label, { negotiated: true, ...options });
    this.control = open("control", { id: 1 });
    this.telemetry = open("telemetry", { id: 2, ordered: false, maxRetransmits: 0 });
    this.bulk = open("bulk", { id: 3, ordered: false });
    this.control.stateChanged.subscribe((state) => {
      if (state !== "open") return;
      this.control.send(JSON.stringify({ type: "state", microphone: false, source: shows ? "camera" : "none" }));
      emit("open", { name });
    });
    this.control.onMessage.subscribe((text) => this.onControl(JSON.parse(text.toString())));
    this.telemetry.onMessage.subscribe((text) => {
      const { type, nonce } = JSON.parse(text.toString());
      if (type === "ping") this.telemetry.send(JSON.stringify({ type: "pong", nonce }));
    });
  }

  async offer() {
    // Microphone, picture, and sound of the picture, in this order.
    this.pc.addTransceiver("audio", { direction: "recvonly" });
    if (shows) this.show(this.pc.addTransceiver("video", { direction: "sendrecv" }));
    else this.pc.addTransceiver("video", { direction: "recvonly" });
    this.pc.addTransceiver("audio", { direction: "recvonly" });
    this.takeRole("client");
    this.exchange += 1;
    await this.describe("offer", await this.pc.createOffer());
  }

  /**
   * Chooses the side of DTLS against custom, where the answerer is the client. werift opens the SCTP association if it controls ICE
   * (it offered), and answers no INIT then; the crate rtc 0.21 opens it as client of DTLS, and answers no INIT then. So with the usual
   * sides both open it, or neither does.
   */
  takeRole(role) {
    for (const transport of this.pc.dtlsTransports) transport.role = role;
  }

  async describe(kind, description) {
    await this.pc.setLocalDescription(description);
    this.signal({ description: { kind, exchange: this.exchange, sdp: this.pc.localDescription.sdp } });
  }

  signal(payload) {
    const { member, connection, generation } = this;
    send({ type: "signal", to: member, connection, generation, payload });
  }

  async onSignal({ description, candidate }) {
    if (description) {
      const { kind, exchange, sdp } = description;
      if (kind === "offer" && exchange <= this.exchange) return;
      this.exchange = exchange;
      await this.pc.setRemoteDescription({ type: kind, sdp });
      if (kind === "answer") return;
      this.takeRole("server");
      if (shows) this.show(this.pc.getTransceivers()[1]);
      await this.describe("answer", await this.pc.createAnswer());
    } else if (candidate.candidate) {
      await this.pc.addIceCandidate({ candidate: candidate.candidate, sdpMLineIndex: candidate.sdp_m_line_index ?? 0 });
    }
  }

  onControl(message) {
    if (message.type === "chat") {
      this.control.send(JSON.stringify({ type: "chat_ack", id: message.id }));
      emit("message", { name: this.name, text: message.text });
    } else if (message.type === "chat_ack" && this.waiting.has(message.id)) {
      emit("delivery", { name: this.name, text: this.waiting.get(message.id) });
      this.waiting.delete(message.id);
    } else if (message.type === "state") {
      emit("published", { name: this.name, source: message.source, playback: message.playback });
    }
  }

  say(text) {
    const id = randomId();
    this.waiting.set(id, text);
    this.control.send(JSON.stringify({ type: "chat", id, text, sent_at_ms: 0 }));
  }

  /** Tells when some packets have arrived. */
  count(track) {
    let packets = 0;
    track.onReceiveRtp.subscribe(() => {
      packets += 1;
      if (packets === ENOUGH) emit(track.kind === "video" ? "picture" : "sound", { name: this.name });
    });
  }

  /** Sends pictures until the connection is closed. */
  show(transceiver) {
    const track = new werift.MediaStreamTrack({ kind: "video" });
    transceiver.sender.replaceTrack(track);
    transceiver.setDirection?.("sendrecv");
    let number = 0;
    this.timer = setInterval(() => {
      const frame = number % KEYFRAME_EVERY === 0 ? KEY : DELTA;
      const header = new werift.RtpHeader({
        payloadType: 96,
        sequenceNumber: number & 0xffff,
        timestamp: number * FRAME_MS * 90,
        ssrc: 1,
        marker: true,
      });
      // RFC 7741: the first packet of a frame, without extensions.
      track.writeRtp(new werift.RtpPacket(header, Buffer.from([0x10, ...frame])));
      number += 1;
    }, FRAME_MS);
  }

  async close() {
    clearInterval(this.timer);
    await this.pc.close();
  }
}

const links = new Map();
const names = new Map();
const socket = new WebSocket(url);
const send = (message) => socket.send(JSON.stringify(message));

async function onMessage(message) {
  switch (message.type) {
    case "joined":
      emit("entered", { you: message.you });
      // The newcomer offers.
      for (const { id, name } of message.members) {
        names.set(id, name);
        links.set(id, new Link(id, name, randomId(), 0));
        await links.get(id).offer();
      }
      break;
    case "peer_joined":
      names.set(message.member.id, message.member.name);
      break;
    case "signal": {
      const { from, connection, generation, payload } = message;
      let link = links.get(from);
      if (payload.description && (!link || generation > link.generation)) {
        await link?.close();
        link = new Link(from, names.get(from), connection, generation);
        links.set(from, link);
      }
      if (link?.generation === generation) await link.onSignal(payload);
      break;
    }
    case "peer_left": {
      const link = links.get(message.id);
      links.delete(message.id);
      await link?.close();
      if (link) emit("left", { name: link.name });
      break;
    }
    case "room_state":
    case "peer_away":
    case "pong":
      break;
    default:
      emit("other", { message });
  }
}

// One after the other: a description takes a moment.
let handled = Promise.resolve();
socket.on("message", (text) => {
  handled = handled.then(() => onMessage(JSON.parse(text.toString())));
  handled.catch((error) => {
    emit("failed", { sentence: String(error?.stack ?? error) });
    process.exit(1);
  });
});
socket.on("open", () =>
  send({ type: "join", protocol: 1, room, name, instance: randomId(), attended: false }));

const input = createInterface({ input: process.stdin });
input.on("line", (line) => links.forEach((link) => link.say(line)));
input.on("close", async () => {
  send({ type: "leave" });
  await Promise.all([...links.values()].map((link) => link.close()));
  process.exit(0);
});
