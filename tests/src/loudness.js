// How loud the member with the name arguments[0] is heard: the largest amplitude in the last half second of the stream
// that its tile plays. Where a machine has no audio output, Firefox never starts an AudioContext: there, the energy of
// the sound received since the last call (W3C webrtc-stats, totalAudioEnergy of inbound-rtp).
return (async () => {
  const tile = [...document.querySelectorAll('[data-testid="tile"]')].find((tile) => tile.dataset.name === arguments[0]);
  const stream = tile?.querySelector("video")?.srcObject;
  const track = stream?.getAudioTracks()[0];
  if (!track) return null;

  const ears = (window.sightlineEars ??= new Map());
  if (!ears.has(track)) {
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 32768 });
    context.createMediaStreamSource(stream).connect(analyser);
    ears.set(track, { context, analyser, energy: undefined, duration: undefined });
  }
  const ear = ears.get(track);
  if (ear.context.state === "running") {
    const samples = new Float32Array(ear.analyser.fftSize);
    ear.analyser.getFloatTimeDomainData(samples);
    return samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
  }

  const reports = await Promise.all(
    window.sightlineProbe.connections.filter(({ connectionState }) => connectionState === "connected").map((connection) => connection.getStats()),
  );
  const received = reports
    .flatMap((report) => [...report.values()])
    .find((entry) => entry.type === "inbound-rtp" && entry.kind === "audio" && entry.trackIdentifier === track.id);
  if (received?.totalAudioEnergy === undefined) return null;
  const { totalAudioEnergy: energy, totalSamplesDuration: duration } = received;
  const before = { energy: ear.energy ?? energy, duration: ear.duration ?? duration };
  Object.assign(ear, { energy, duration });
  return duration > before.duration ? Math.sqrt((energy - before.energy) / (duration - before.duration)) : null;
})();
