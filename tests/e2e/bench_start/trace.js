// Runs in every page of the measurement before the page's own scripts. It notes when things happen on the way from the click on
// `join` to the first remote frame. All three systems are noted by the same script.
(() => {
  const MAX_MARKS = 2000;
  const marks = [];
  const remote = new WeakSet();
  let clicked, tell;
  const first = new Promise((resolve) => (tell = resolve));
  const mark = (name, at = performance.now()) => marks.length < MAX_MARKS && marks.push([name, performance.timeOrigin + at]);
  Object.defineProperty(window, "startTrace", {
    value: { marks, first, get clicked() { return clicked; }, get origin() { return performance.timeOrigin; } },
  });

  // The time of the event, not of its handling: a busy page is part of what a person waits for.
  addEventListener("click", (event) => {
    if (clicked || !event.target.closest?.("[data-testid=join]")) return;
    clicked = performance.timeOrigin + event.timeStamp;
    mark("click", event.timeStamp);
    mark("click handled");
  }, true);

  const Socket = window.WebSocket;
  window.WebSocket = new Proxy(Socket, {
    construct(target, args, newTarget) {
      const socket = Reflect.construct(target, args, newTarget);
      mark("socket made");
      socket.addEventListener("open", () => mark("socket open"));
      let received = 0;
      socket.addEventListener("message", () => mark(`frame ${++received} received`));
      let sent = 0;
      const send = socket.send;
      socket.send = (...rest) => {
        mark(`frame ${++sent} sent`);
        return send.apply(socket, rest);
      };
      return socket;
    },
  });

  const Connection = window.RTCPeerConnection;
  for (const name of ["createOffer", "createAnswer", "setLocalDescription", "setRemoteDescription"]) {
    const original = Connection.prototype[name];
    Connection.prototype[name] = async function (...rest) {
      mark(name);
      const done = await original.apply(this, rest);
      mark(`${name} done`);
      if (name === "setLocalDescription") {
        const transport = this.getSenders()[0]?.transport;
        if (transport && !transport.isTraced) {
          transport.isTraced = true;
          transport.addEventListener("statechange", () => mark(`DTLS ${transport.state}`));
        }
      }
      return done;
    };
  }
  window.RTCPeerConnection = new Proxy(Connection, {
    construct(target, args, newTarget) {
      const connection = Reflect.construct(target, args, newTarget);
      mark("peer connection made");
      connection.addEventListener("track", ({ track }) => {
        remote.add(track);
        mark(`${track.kind} track received`);
        track.addEventListener("unmute", () => mark(`${track.kind} track unmuted`), { once: true });
      });
      connection.addEventListener("icecandidate", ({ candidate }) => mark(candidate ? "local candidate" : "gathering done"));
      connection.addEventListener("iceconnectionstatechange", () => mark(`ICE ${connection.iceConnectionState}`));
      connection.addEventListener("connectionstatechange", () => mark(`connection ${connection.connectionState}`));
      return connection;
    },
  });
  const createDataChannel = Connection.prototype.createDataChannel;
  Connection.prototype.createDataChannel = function (...rest) {
    const channel = createDataChannel.apply(this, rest);
    channel.addEventListener("open", () => mark("data channel open"));
    return channel;
  };

  // The first frame of any element whose stream has a received track.
  const isRemote = (video) => video.srcObject?.getVideoTracks?.().some((track) => remote.has(track));
  const watch = (video) => video.requestVideoFrameCallback((now, { presentationTime }) => {
    if (!isRemote(video)) return watch(video);
    mark("first frame", presentationTime);
    tell(performance.timeOrigin + presentationTime);
  });
  const watched = new WeakSet();
  const { get, set } = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "srcObject");
  Object.defineProperty(HTMLMediaElement.prototype, "srcObject", {
    get,
    set(stream) {
      set.call(this, stream);
      if (!(this instanceof HTMLVideoElement)) return;
      if (stream) mark(isRemote(this) ? "remote stream shown" : "a stream shown");
      if (!watched.has(this)) {
        watched.add(this);
        watch(this);
      }
    },
  });

  try {
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) {
        mark(`busy for ${Math.round(duration)} ms`, startTime);
      }
    }).observe({ type: "longtask" });
  } catch {
    // Firefox reports no long tasks.
  }
})();
