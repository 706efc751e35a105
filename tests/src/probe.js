// Runs in every page before its own scripts. It records what the browser did, and with `?probe=` in the address it plays
// a browser or a person that cannot be had otherwise.
(() => {
  const probe = { connections: [], reports: [] };
  Object.defineProperty(window, "sightlineProbe", { value: probe });

  const Native = window.RTCPeerConnection;
  if (Native) {
    window.RTCPeerConnection = new Proxy(Native, {
      construct(target, args, newTarget) {
        const connection = Reflect.construct(target, args, newTarget);
        probe.connections.push(connection);
        return connection;
      },
    });
    const getStats = Native.prototype.getStats;
    Native.prototype.getStats = async function (...args) {
      const report = await getStats.apply(this, args);
      probe.reports.push({ connection: probe.connections.indexOf(this), entries: [...report.values()] });
      probe.reports.splice(0, probe.reports.length - 8);
      return report;
    };
  }

  const refuse = (name) => () => Promise.reject(new DOMException("played by the test", name));
  const parts = {
    "no-webrtc": () => delete window.RTCPeerConnection,
    "camera-busy": () => (MediaDevices.prototype.getUserMedia = refuse("NotReadableError")),
    "prompt-ignored": () => (MediaDevices.prototype.getUserMedia = () => new Promise(() => {})),
  };
  parts[new URLSearchParams(location.search).get("probe")]?.();
})();
