// Bare data channels between two pages, for `cargo xtask bench transfer`: no hash, no file, no page around them.
window.raw = {
  connections: [],
  channels: [],
  received: 0,

  // Without a granted device Chromium hides host addresses behind names that nothing resolves across a namespace.
  async prepare() {
    this.devices = await navigator.mediaDevices.getUserMedia({ audio: true });
  },

  add(ordered) {
    const connection = new RTCPeerConnection();
    const channel = connection.createDataChannel('raw', { negotiated: true, id: 0, ordered });
    channel.binaryType = 'arraybuffer';
    this.connections.push(connection);
    this.channels.push(channel);
    return connection;
  },

  async gathered(connection) {
    await connection.setLocalDescription();
    while (connection.iceGatheringState !== 'complete') {
      await new Promise((resolve) => connection.addEventListener('icegatheringstatechange', resolve, { once: true }));
    }
    return connection.localDescription.sdp;
  },

  async offer(count, ordered) {
    this.close();
    const offers = [];
    for (let at = 0; at < count; at++) offers.push(this.gathered(this.add(ordered)));
    return Promise.all(offers);
  },

  async answer(offers, ordered) {
    this.close();
    return Promise.all(offers.map(async (sdp) => {
      const connection = this.add(ordered);
      await connection.setRemoteDescription({ type: 'offer', sdp });
      return this.gathered(connection);
    }));
  },

  async accept(answers) {
    await Promise.all(answers.map((sdp, at) => this.connections[at].setRemoteDescription({ type: 'answer', sdp })));
    await Promise.all(this.channels.map((channel) => this.opened(channel)));
  },

  async opened(channel) {
    if (channel.readyState !== 'open') {
      await new Promise((resolve) => channel.addEventListener('open', resolve, { once: true }));
    }
  },

  close() {
    this.connections.forEach((connection) => connection.close());
    this.connections = [];
    this.channels = [];
  },

  // Counts the received bytes, and reports them on the first channel: after every `everyBytes`, and after `bytes`.
  async receive(bytes, everyBytes) {
    await Promise.all(this.channels.map((channel) => this.opened(channel)));
    let received = 0;
    let told = 0;
    for (const channel of this.channels) {
      channel.onmessage = (event) => {
        received += event.data.byteLength;
        if (received >= bytes || received - told >= everyBytes) {
          told = received;
          // A trial whose time is over is closed while its last messages arrive.
          if (this.channels[0].readyState === 'open') this.channels[0].send(String(received));
        }
      };
    }
  },

  // Sends with two watermarks on every channel, the high one `buffer`, for `limit` ms at most. How many bytes were there after
  // how many ms.
  async send(bytes, message, buffer, limit) {
    const payload = new Uint8Array(message);
    crypto.getRandomValues(payload.subarray(0, 65536));
    let left = bytes;
    return new Promise((resolve) => {
      const began = performance.now();
      this.channels[0].onmessage = (event) => {
        const there = Number(event.data);
        const ms = performance.now() - began;
        if (there >= bytes || ms >= limit) {
          left = 0;
          resolve([there, ms]);
        }
      };
      // The channel with the least buffered data gets the next message, as long as one is below its watermark.
      const pump = () => {
        while (left > 0) {
          const channel = this.channels.reduce((least, other) => (other.bufferedAmount < least.bufferedAmount ? other : least));
          if (channel.bufferedAmount >= buffer) return;
          const part = left < message ? payload.subarray(0, left) : payload;
          left -= part.byteLength;
          channel.send(part);
        }
      };
      for (const channel of this.channels) {
        channel.bufferedAmountLowThreshold = buffer / 2;
        channel.onbufferedamountlow = pump;
      }
      pump();
    });
  },

  // Sends `part` bytes in messages of `message` bytes, waits until they have arrived, and then sends the next.
  async stopAndWait(bytes, message, part) {
    const payload = new Uint8Array(message);
    const channel = this.channels[0];
    const began = performance.now();
    for (let sent = 0; sent < bytes; ) {
      const end = Math.min(bytes, sent + part);
      const arrived = new Promise((resolve) => {
        channel.onmessage = (event) => Number(event.data) >= end && resolve();
      });
      for (; sent < end; sent += message) {
        channel.send(payload.subarray(0, Math.min(message, end - sent)));
      }
      sent = end;
      await arrived;
    }
    return [bytes, performance.now() - began];
  },
};
