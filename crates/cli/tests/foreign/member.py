"""A minimal member of a room with aiortc, an implementation of WebRTC that shares no code with ours.

It speaks docs/protocol.md: the chat, the pictures and the sound of an unprotected room. Lines from the standard input are said
to everybody; events are JSON on the standard output. It repairs nothing.

    member.py ws://127.0.0.1:8080/ws ROOM NAME [--show]
"""

import asyncio
import json
import os
import sys

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError
from aiortc.sdp import candidate_from_sdp
from websockets.asyncio.client import connect

URL, ROOM, NAME = sys.argv[1:4]
SHOWS = "--show" in sys.argv
# Frames or packets after which pictures or sound count as arriving.
ENOUGH = 10


def emit(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def random_id():
    return os.urandom(8).hex()


class Link:
    """The peer connection to one member."""

    def __init__(self, room, member, name, connection, generation):
        self.room, self.member, self.name = room, member, name
        self.connection, self.generation = connection, generation
        self.exchange = 0
        self.waiting = {}
        # The server on this computer needs no STUN.
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.pc.on("track", self.on_track)
        self.pc.on("connectionstatechange", lambda: emit("state", name=self.name, state=self.pc.connectionState))
        # Channels exist before the first offer, which has to contain their section.
        self.control = self.pc.createDataChannel("control", negotiated=True, id=1)
        self.telemetry = self.pc.createDataChannel(
            "telemetry", negotiated=True, id=2, ordered=False, maxRetransmits=0
        )
        self.bulk = self.pc.createDataChannel("bulk", negotiated=True, id=3, ordered=False)
        self.control.on("open", self.on_open)
        self.control.on("message", self.on_control)
        self.telemetry.on("message", self.on_telemetry)
        if self.control.readyState == "open":
            self.on_open()

    def add_media(self):
        """Microphone, picture, and sound of the picture, in this order."""
        self.pc.addTransceiver("audio", direction="recvonly")
        if SHOWS:
            self.pc.addTransceiver(VideoStreamTrack(), direction="sendrecv")
            self.pc.addTransceiver(AudioStreamTrack(), direction="sendrecv")
        else:
            self.pc.addTransceiver("video", direction="recvonly")
            self.pc.addTransceiver("audio", direction="recvonly")

    async def offer(self):
        self.add_media()
        self.exchange += 1
        await self.pc.setLocalDescription(await self.pc.createOffer())
        await self.signal("offer")

    async def signal(self, kind):
        description = {"kind": kind, "exchange": self.exchange, "sdp": self.pc.localDescription.sdp}
        await self.room.send(
            type="signal",
            to=self.member,
            connection=self.connection,
            generation=self.generation,
            payload={"description": description},
        )

    async def on_signal(self, payload):
        if "description" in payload:
            description = payload["description"]
            if description["kind"] == "offer" and description["exchange"] <= self.exchange:
                return
            self.exchange = description["exchange"]
            await self.pc.setRemoteDescription(RTCSessionDescription(description["sdp"], description["kind"]))
            if description["kind"] == "offer":
                if SHOWS:
                    self.adopt()
                await self.pc.setLocalDescription(await self.pc.createAnswer())
                await self.signal("answer")
        elif payload["candidate"]["candidate"]:
            told = payload["candidate"]
            candidate = candidate_from_sdp(told["candidate"].removeprefix("candidate:"))
            candidate.sdpMid = told.get("sdp_mid")
            candidate.sdpMLineIndex = told.get("sdp_m_line_index")
            await self.pc.addIceCandidate(candidate)

    def adopt(self):
        """Answers with tracks in the offered transceivers of the picture and its sound."""
        _, picture, sound = self.pc.getTransceivers()[:3]
        for transceiver, track in [(picture, VideoStreamTrack()), (sound, AudioStreamTrack())]:
            transceiver.sender.replaceTrack(track)
            transceiver.direction = "sendrecv"

    def on_open(self):
        source = "camera" if SHOWS else "none"
        self.control.send(json.dumps({"type": "state", "microphone": False, "source": source}))
        emit("open", name=self.name)

    def on_control(self, text):
        message = json.loads(text)
        if message["type"] == "chat":
            self.control.send(json.dumps({"type": "chat_ack", "id": message["id"]}))
            emit("message", name=self.name, text=message["text"])
        elif message["type"] == "chat_ack" and message["id"] in self.waiting:
            emit("delivery", name=self.name, text=self.waiting.pop(message["id"]))
        elif message["type"] == "state":
            emit("published", name=self.name, source=message["source"], playback=message.get("playback"))

    def on_telemetry(self, text):
        message = json.loads(text)
        if message["type"] == "ping":
            self.telemetry.send(json.dumps({"type": "pong", "nonce": message["nonce"]}))

    def say(self, text):
        message_id = random_id()
        self.waiting[message_id] = text
        self.control.send(json.dumps({"type": "chat", "id": message_id, "text": text, "sent_at_ms": 0}))

    def on_track(self, track):
        asyncio.ensure_future(self.count(track))

    async def count(self, track):
        """Decodes frames, and tells when some have arrived."""
        try:
            for _ in range(ENOUGH):
                frame = await track.recv()
            if track.kind == "video":
                emit("picture", name=self.name, width=frame.width, height=frame.height)
            else:
                emit("sound", name=self.name)
            while True:
                await track.recv()
        except MediaStreamError:
            pass


class Room:
    def __init__(self, socket):
        self.socket, self.links, self.names = socket, {}, {}

    async def send(self, **message):
        await self.socket.send(json.dumps(message))

    async def run(self):
        await self.send(type="join", protocol=1, room=ROOM, name=NAME, instance=random_id(), attended=False)
        async for text in self.socket:
            message = json.loads(text)
            kind = message["type"]
            if kind == "joined":
                emit("entered", you=message["you"])
                # The newcomer offers.
                for member in message["members"]:
                    self.names[member["id"]] = member["name"]
                    link = Link(self, member["id"], member["name"], random_id(), 0)
                    self.links[member["id"]] = link
                    await link.offer()
            elif kind == "peer_joined":
                self.names[message["member"]["id"]] = message["member"]["name"]
            elif kind == "signal":
                await self.on_signal(message)
            elif kind == "peer_left":
                link = self.links.pop(message["id"], None)
                if link:
                    await link.pc.close()
                    emit("left", name=link.name)
            elif kind not in ("room_state", "peer_away", "pong"):
                emit("other", message=message)

    async def on_signal(self, message):
        member, link = message["from"], self.links.get(message["from"])
        is_new = link is None or message["generation"] > link.generation
        if is_new and "description" in message["payload"]:
            if link:
                await link.pc.close()
            link = Link(self, member, self.names[member], message["connection"], message["generation"])
            self.links[member] = link
        if link and link.generation == message["generation"]:
            await link.on_signal(message["payload"])


async def main():
    async with connect(URL) as socket:
        room = Room(socket)
        running = asyncio.ensure_future(room.run())
        while line := await asyncio.to_thread(sys.stdin.readline):
            for link in room.links.values():
                link.say(line.rstrip("\n"))
        await room.send(type="leave")
        await asyncio.gather(running, *(link.pc.close() for link in room.links.values()))


asyncio.run(main())
