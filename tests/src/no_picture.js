// Why there is no picture of the member with the name arguments[0]: the element, its track, and what arrives.
return (async (name) => {
  const tile = [...document.querySelectorAll('[data-testid="tile"]')].find((tile) => tile.dataset.name === name);
  const video = tile?.querySelector("video");
  if (!video) return tile ? "a tile without a video" : "no tile";
  const tracks = video.srcObject?.getTracks() ?? [];
  const track = ({ kind, readyState, muted, enabled }) => `${kind} ${readyState}${muted ? " muted" : ""}${enabled ? "" : " off"}`;
  // In Chromium a window that the test opened has no probe.
  const connections = window.sightlineProbe?.connections ?? [];
  const reports = await Promise.all(connections.map((connection) => connection.getStats()));
  const inbound = (entry) => entry.type === "inbound-rtp" && entry.kind === "video";
  const figures = ({ packetsReceived, framesReceived, framesDecoded, keyFramesDecoded, pliCount }) =>
    `packets ${packetsReceived}, frames ${framesReceived}, decoded ${framesDecoded}, keyframes ${keyFramesDecoded}, PLI ${pliCount}`;
  return [
    `no picture: tile ${tile.dataset.state}, camera ${tile.dataset.camera}`,
    `video readyState ${video.readyState}, ${video.videoWidth}x${video.videoHeight}, ${video.paused ? "paused" : "playing"}`,
    `tracks [${tracks.map(track).join(", ")}]`,
    ...connections.map((connection, at) => {
      const transceivers = connection.getTransceivers().map(({ mid, currentDirection }) => `${mid} ${currentDirection}`);
      const received = [...reports[at].values()].filter(inbound).map(figures);
      return `connection ${connection.connectionState}, transceivers [${transceivers.join(", ")}], ${received.join("; ") || "nothing received"}`;
    }),
  ].join("; ");
})(arguments[0]);
