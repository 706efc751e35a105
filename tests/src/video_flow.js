// The video of the member with the name arguments[0], in words: the element, its track, and what each connection receives and sends.
return (async (name) => {
  const tile = [...document.querySelectorAll('[data-testid="tile"]')].find((tile) => tile.dataset.name === name);
  const video = tile?.querySelector("video");
  if (!video) return tile ? "a tile without a video" : "no tile";
  const tracks = video.srcObject?.getTracks() ?? [];
  const track = ({ kind, readyState, muted, enabled }) => `${kind} ${readyState}${muted ? " muted" : ""}${enabled ? "" : " off"}`;
  // In Chromium a window that the test opened has no probe.
  const connections = window.sightlineProbe?.connections ?? [];
  const reports = await Promise.all(connections.map((connection) => connection.getStats()));
  const counters = [
    "packetsReceived", "framesReceived", "framesDecoded", "keyFramesDecoded", "framesSent", "framesEncoded", "framesPerSecond",
    "frameHeight", "targetBitrate", "qualityLimitationReason", "pliCount", "nackCount", "availableOutgoingBitrate", "currentRoundTripTime",
  ];
  const figures = (entry) => counters.flatMap((counter) => (counter in entry ? [`${counter} ${entry[counter]}`] : [])).join(", ");
  const described = (entries) => [
    ["received", (entry) => entry.type === "inbound-rtp" && entry.kind === "video"],
    ["sent", (entry) => entry.type === "outbound-rtp" && entry.kind === "video"],
    ["path", (entry) => entry.type === "candidate-pair" && entry.nominated],
  ].flatMap(([what, isMeant]) => entries.filter(isMeant).map((entry) => `${what}: ${figures(entry)}`));
  return [
    `tile ${tile.dataset.state}, camera ${tile.dataset.camera}`,
    `video readyState ${video.readyState}, ${video.videoWidth}x${video.videoHeight}, ${video.paused ? "paused" : "playing"}`,
    `tracks [${tracks.map(track).join(", ")}]`,
    ...connections.map((connection, at) => {
      const transceivers = connection.getTransceivers().map(({ mid, currentDirection }) => `${mid} ${currentDirection}`);
      const flows = described([...reports[at].values()]);
      return `connection ${connection.connectionState}, transceivers [${transceivers.join(", ")}], ${flows.join("; ") || "no video"}`;
    }),
  ].join("; ");
})(arguments[0]);
