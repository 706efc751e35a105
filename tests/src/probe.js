// Runs in every page before its own scripts. It records what the browser did, and with `?probe=` in the address it plays
// a browser or a person that a test cannot get otherwise.
(() => {
  const probe = {
    // All connections, and those that were negotiated: a page makes one ahead, which it may never use.
    made: [], connections: [], channels: [], controls: [], heard: [], sockets: [], signals: {}, socketLog: [], wakeLocks: [], socketsMade: 0,
    reports: [], violations: [], saved: [], captures: [], exchanges: 0, rollbacks: 0, joins: 0,
  };
  Object.defineProperty(window, "sightlineProbe", { value: probe });
  document.addEventListener("securitypolicyviolation", (event) => {
    probe.violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
  });

  // The history of each socket, for a test that fails: who closed it, and when.
  const NativeWebSocket = window.WebSocket;
  window.WebSocket = new Proxy(NativeWebSocket, {
    construct(target, args, newTarget) {
      const socket = Reflect.construct(target, args, newTarget);
      const number = ++probe.socketsMade;
      const log = (event) => {
        probe.socketLog.push(`${Math.round(performance.now())} ms: socket ${number} ${event}`);
        probe.socketLog.splice(0, probe.socketLog.length - 50);
      };
      log(`made, page ${document.visibilityState}, ${navigator.onLine ? "online" : "offline"}`);
      socket.addEventListener("open", () => log("open"));
      socket.addEventListener("close", ({ code }) => log(`closed with ${code}`));
      const close = socket.close;
      socket.close = (...rest) => {
        if (socket.readyState === NativeWebSocket.CONNECTING) log("given up by the page");
        return close.apply(socket, rest);
      };
      return socket;
    },
  });

  // The saved files.
  const createObjectURL = URL.createObjectURL;
  URL.createObjectURL = (blob) => {
    probe.saved.push(blob);
    return createObjectURL.call(URL, blob);
  };

  const Native = window.RTCPeerConnection;
  if (Native) {
    window.RTCPeerConnection = new Proxy(Native, {
      construct(target, args, newTarget) {
        const connection = Reflect.construct(target, args, newTarget);
        probe.made.push(connection);
        connection.addEventListener("signalingstatechange", () => {
          probe.exchanges += connection.signalingState === "stable";
        });
        return connection;
      },
    });
    // The open `control` channels and their latest messages, so that a test can send messages that the page's own script would not send.
    const createDataChannel = Native.prototype.createDataChannel;
    Native.prototype.createDataChannel = function (label, ...rest) {
      const channel = createDataChannel.call(this, label, ...rest);
      probe.channels = probe.channels.filter(({ readyState }) => readyState !== "closed");
      probe.channels.push(channel);
      if (label === "control") {
        probe.controls.push(channel);
        channel.addEventListener("message", ({ data }) => {
          probe.heard.push(data);
          if (probe.heard.length > 100) probe.heard.splice(0, 50);
        });
      }
      return channel;
    };
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (frame) {
      if (!probe.sockets.includes(this)) probe.sockets.push(this);
      probe.joins += frame.startsWith('{"type":"join"');
      if (frame.startsWith('{"type":"signal"')) probe.signals[JSON.parse(frame).to] = frame;
      return send.call(this, frame);
    };
    const setRemoteDescription = Native.prototype.setRemoteDescription;
    Native.prototype.setRemoteDescription = function (description, ...rest) {
      if (!probe.connections.includes(this)) probe.connections.push(this);
      probe.rollbacks += description.type === "offer" && this.signalingState === "have-local-offer";
      return setRemoteDescription.call(this, description, ...rest);
    };
    const getStats = Native.prototype.getStats;
    Native.prototype.getStats = async function (...args) {
      const report = await getStats.apply(this, args);
      probe.reports.push({ connection: probe.connections.indexOf(this), entries: [...report.values()] });
      probe.reports.splice(0, probe.reports.length - 8);
      return report;
    };
  }

  // Every lock that keeps the screen on. One that the browser refuses here, where there is no screen, is played.
  if (navigator.wakeLock) {
    const request = navigator.wakeLock.request.bind(navigator.wakeLock);
    navigator.wakeLock.request = async (kind) => {
      let lock;
      try {
        lock = await request(kind);
      } catch {
        lock = Object.assign(new EventTarget(), { released: false, async release() { this.released = true; } });
      }
      probe.wakeLocks.push(lock);
      return lock;
    };
  }

  // Every request for a device or a screen, whatever answers it.
  const noteCaptures = () => {
    for (const name of ["getUserMedia", "getDisplayMedia"]) {
      const ask = window.MediaDevices?.prototype[name];
      if (!ask) continue;
      MediaDevices.prototype[name] = function (wanted, ...rest) {
        probe.captures.push({ name, video: !!wanted?.video, audio: !!wanted?.audio });
        return ask.call(this, wanted, ...rest);
      };
    }
  };
  // A browser that is not driven by a program, like a person's.
  const person = () => Object.defineProperty(Navigator.prototype, "webdriver", { get: () => false });
  const refuse = (name) => () => Promise.reject(new DOMException("played by the test", name));
  // A screen to share: a canvas that moves, with a tone. As in both browsers it requires a gesture.
  const screen = async () => {
    if (!navigator.userActivation.isActive) throw new DOMException("played by the test", "InvalidStateError");
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: 640, height: 360 });
    const paper = canvas.getContext("2d");
    let frames = 0;
    const painting = setInterval(() => {
      paper.fillStyle = `hsl(${(frames += 7)} 90% 60%)`;
      paper.fillRect(0, 0, canvas.width, canvas.height);
    }, 50);
    const stream = canvas.captureStream(20);
    const context = new AudioContext();
    const tone = new OscillatorNode(context);
    const sound = new MediaStreamAudioDestinationNode(context);
    tone.connect(sound);
    tone.start();
    stream.addTrack(sound.stream.getAudioTracks()[0]);
    window.sightlineScreen = {
      end() {
        clearInterval(painting);
        for (const track of stream.getTracks()) {
          track.stop();
          track.dispatchEvent(new Event("ended"));
        }
      },
    };
    return stream;
  };
  const refuseScreen = async () => {
    window.sightlineScreen = { asked: true };
    throw new DOMException("played by the test", "NotAllowedError");
  };
  // A server that names the ICE servers in the address instead of its own.
  const nameIceServers = () => {
    const ice_servers = JSON.parse(new URLSearchParams(location.search).get("ice-servers"));
    const data = Object.getOwnPropertyDescriptor(MessageEvent.prototype, "data");
    Object.defineProperty(MessageEvent.prototype, "data", {
      ...data,
      get() {
        const said = data.get.call(this);
        const isAnswer = typeof said === "string" && said.startsWith('{"type":"ice_servers"');
        return isAnswer ? JSON.stringify({ type: "ice_servers", ice_servers }) : said;
      },
    });
  };
  // The frame's number, where known-source mode has it in its strip (crates/core/src/measure/stamp/strip.rs); the rest of the strip is
  // missing, so that no reader takes it for a stamp.
  const paintNumber = (paper, number) => {
    const cell = paper.canvas.width / 44;
    const bits = [1, 0, 1, 0];
    for (let at = 31; at >= 0; at--) bits.push((number >>> at) & 1);
    paper.fillStyle = "#000";
    paper.fillRect(0, 0, cell * 44, cell * 2);
    paper.fillStyle = "#fff";
    for (const [at, bit] of bits.entries()) if (bit) paper.fillRect((at + 1) * cell, 0, cell, cell);
    paper.fillRect(0, 0, cell, cell);
    paper.fillRect(43 * cell, cell, cell, cell);
  };
  // A camera that paints exactly on command, and records when it did: `sightlineSource`.
  const paintedCamera = async ({ video } = {}) => {
    if (!video) throw new DOMException("played by the test", "NotFoundError");
    const fps = Number(new URLSearchParams(location.search).get("fps") ?? 30);
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: 640, height: 360 });
    const paper = canvas.getContext("2d", { alpha: false });
    const stream = canvas.captureStream(0);
    const [track] = stream.getVideoTracks();
    // When each frame was painted, and what stood still longer than due: since when, for how long, and for how long it was told
    // to. Milliseconds, since 1970.
    const source = { painted: [], stops: [] };
    window.sightlineSource = source;
    const interval = 1000 / fps;
    let due = performance.now();
    let stop = 0;
    let stopped = 0;
    source.stopFor = (ms) => (stop += ms);
    const paint = () => {
      const now = performance.now();
      const at = performance.timeOrigin + now;
      const frame = source.painted.length;
      paper.fillStyle = `hsl(${(frame * 7) % 360} 70% 50%)`;
      paper.fillRect(0, 0, canvas.width, canvas.height);
      paper.fillStyle = "#fff";
      paper.fillRect((frame * 11) % 600, 160, 40, 40);
      paintNumber(paper, frame);
      (track.requestFrame ? track : stream).requestFrame();
      const last = source.painted.at(-1);
      if (last && at - last - interval >= 50) source.stops.push([last + interval, at - last - interval, stopped]);
      stopped = 0;
      source.painted.push(at);
      // Like a real source, a late one does not catch up.
      due = Math.max(due + interval, now - interval) + stop;
      stopped = stop;
      stop = 0;
      if (track.readyState === "live") setTimeout(paint, Math.max(0, due - performance.now()));
    };
    paint();
    return stream;
  };
  // A video file that can be stopped without a declaration: `sightlineSource`. A frame that is held back was never shown, as far as
  // the app can see, so `presentedFrames` does not count it.
  const heldFrames = () => {
    let until = 0;
    window.sightlineSource = { stopFor: (ms) => (until = performance.now() + ms) };
    const request = HTMLVideoElement.prototype.requestVideoFrameCallback;
    const counts = new WeakMap();
    HTMLVideoElement.prototype.requestVideoFrameCallback = function (callback) {
      const held = (now, metadata) => {
        const count = counts.get(this) ?? { seen: metadata.presentedFrames - 1, hidden: 0 };
        counts.set(this, count);
        const isHeld = performance.now() < until;
        // Several callbacks may ask for one frame.
        if (isHeld) count.hidden += metadata.presentedFrames - count.seen;
        count.seen = metadata.presentedFrames;
        if (isHeld) return request.call(this, held);
        return callback(now, { ...metadata, presentedFrames: metadata.presentedFrames - count.hidden });
      };
      return request.call(this, held);
    };
  };
  // The app gets no frame callbacks, and the browser calls back for every frame all the same, to measure the cost of the callbacks alone.
  const idleFrameCallbacks = () => {
    const request = HTMLVideoElement.prototype.requestVideoFrameCallback;
    delete HTMLVideoElement.prototype.requestVideoFrameCallback;
    const asked = new WeakSet();
    const ask = ({ target }) => {
      if (!(target instanceof HTMLVideoElement) || asked.has(target)) return;
      asked.add(target);
      const again = () => request.call(target, again);
      again();
    };
    addEventListener("playing", ask, true);
  };
  // The split modules whose names begin so load only when the test allows it, or fail.
  const lateModules = (name) => () => {
    const fetch = window.fetch;
    const asked = [];
    let answer = null;
    window.fetch = (resource, ...rest) => {
      if (!String(resource).includes(`/${name}-`)) return fetch(resource, ...rest);
      return new Promise((resolve, reject) => {
        asked.push({ come: () => resolve(fetch(resource, ...rest)), lose: () => reject(new TypeError("no network")) });
        if (answer) asked.pop()[answer]();
      });
    };
    probe.modules = (word) => {
      answer = word;
      while (asked.length > 0) asked.pop()[answer]();
    };
  };
  // All inputs of the page's measurements, in their order: `probe.recorded`, JSON lines that
  // `crates/core/tests/measure.rs` reads. For a page that watches one other and publishes nothing.
  const record = () => {
    const lines = (probe.recorded = []);
    const note = (seen) => lines.push(JSON.stringify({ at_ms: performance.now(), ...seen }));
    const read = new Set(["inbound-rtp", "outbound-rtp", "remote-inbound-rtp", "media-source", "codec", "transport",
      "candidate-pair", "local-candidate", "remote-candidate"]);
    const places = ["address", "ip", "relatedAddress", "usernameFragment", "url"];
    const entry = (full) => Object.fromEntries(Object.entries(full).filter(([name]) => !places.includes(name)));
    note({ run_limit_s: Number(new URLSearchParams(location.search).get("run_s")) });
    const Connection = window.RTCPeerConnection;
    window.RTCPeerConnection = new Proxy(Connection, {
      construct(target, args, newTarget) {
        const connection = Reflect.construct(target, args, newTarget);
        connection.addEventListener("connectionstatechange", () => {
          note({ connected: connection.connectionState === "connected" });
        });
        return connection;
      },
    });
    const open = Connection.prototype.createDataChannel;
    Connection.prototype.createDataChannel = function (label, ...rest) {
      const channel = open.call(this, label, ...rest);
      if (label === "control") channel.addEventListener("open", () => note({ channel_opened: true }));
      if (label === "control" || label === "telemetry") {
        channel.addEventListener("message", ({ data }) => note({ [label]: data }));
      }
      return channel;
    };
    const stats = Connection.prototype.getStats;
    Connection.prototype.getStats = async function (...args) {
      const report = await stats.apply(this, args);
      note({ report: [...report.values()].filter(({ type }) => read.has(type)).map(entry) });
      return report;
    };
    const request = HTMLVideoElement.prototype.requestVideoFrameCallback;
    if (!request) return;
    const metadata = ["presentationTime", "expectedDisplayTime", "presentedFrames", "width", "height", "rtpTimestamp",
      "receiveTime", "captureTime", "processingDuration"];
    HTMLVideoElement.prototype.requestVideoFrameCallback = function (callback) {
      return request.call(this, (now, shown) => {
        const known = metadata.filter((name) => shown[name] !== undefined).map((name) => [name, shown[name]]);
        note({ frame: { presentationTime: now, ...Object.fromEntries(known) } });
        callback(now, shown);
      });
    };
  };
  // What the page writes to the console, as `[level, line]`: `probe.written`.
  const keepConsole = () => {
    const written = (probe.written = []);
    for (const level of ["debug", "info", "warn"]) {
      const write = console[level];
      console[level] = (...words) => {
        if (written.length < 2000) written.push([level, String(words[0])]);
        write.apply(console, words);
      };
    }
  };
  // The first connection sends no picture although it has a source.
  const sendNoPictureFirst = () => {
    const set = RTCRtpSender.prototype.setParameters;
    RTCRtpSender.prototype.setParameters = function (parameters) {
      // Before the first description it is not known which connection will be used first.
      const [first] = probe.connections;
      const isOfFirst = (first ? [first] : probe.made).some((made) => made.getSenders().includes(this));
      if (isOfFirst) parameters.encodings.forEach((encoding) => (encoding.active = false));
      return set.call(this, parameters);
    };
  };
  // A browser that stores nothing: the request throws, has an error, or never ends.
  const openNoDatabase = (way) => {
    IDBFactory.prototype.open = () => {
      if (way === "throws") throw new DOMException("no storage", "SecurityError");
      const request = new EventTarget();
      request.error = new DOMException("no storage", "UnknownError");
      if (way === "fails") setTimeout(() => request.dispatchEvent(new Event("error")));
      return request;
    };
  };
  const parts = {
    record,
    console: keepConsole,
    "limits-refused": () => (RTCRtpSender.prototype.setParameters = refuse("InvalidModificationError")),
    "no-picture-first": sendNoPictureFirst,
    person,
    "late-engine": lateModules("engine"),
    "late-room-parts": lateModules("room"),
    "late-pages": lateModules("pages"),
    "held-frames": heldFrames,
    "ice-servers": nameIceServers,
    "painted-camera": () => (MediaDevices.prototype.getUserMedia = paintedCamera),
    "idle-frame-callbacks": idleFrameCallbacks,
    screen: () => (MediaDevices.prototype.getDisplayMedia = screen),
    "screen-refused": () => (MediaDevices.prototype.getDisplayMedia = refuseScreen),
    "no-frame-callbacks": () => delete HTMLVideoElement.prototype.requestVideoFrameCallback,
    "database-throws": () => openNoDatabase("throws"),
    "database-fails": () => openNoDatabase("fails"),
    "database-hangs": () => openNoDatabase("hangs"),
    installed: () => {
      const matchMedia = window.matchMedia.bind(window);
      window.matchMedia = (query) => (query === "(display-mode: standalone)" ? { matches: true } : matchMedia(query));
    },
    "no-webrtc": () => delete window.RTCPeerConnection,
    "camera-busy": () => (MediaDevices.prototype.getUserMedia = refuse("NotReadableError")),
    "prompt-ignored": () => (MediaDevices.prototype.getUserMedia = () => new Promise(() => {})),
  };
  for (const part of new URLSearchParams(location.search).getAll("probe")) parts[part]?.();
  noteCaptures();
})();
