// Watches, from inside the page, how the member with the name arguments[0] comes across: when frames are shown, when sound
// arrives, when messages appear. It lives as long as the page does, so its presence proves that the page was not reloaded.
const name = arguments[0];
const monitor = (window.sightlineMonitor = { frames: [], sounds: [], messages: [], blanks: [] });
const now = () => performance.timeOrigin + performance.now();
const note = (times, at = now()) => {
  times.push(at);
  times.splice(0, times.length - 20000);
};
const all = (id) => [...document.querySelectorAll(`[data-testid="${id}"]`)];

let watched = null;
const watch = (video) => {
  if (video !== watched) return;
  note(monitor.frames);
  video.requestVideoFrameCallback(() => watch(video));
};
setInterval(() => {
  const video = all("tile").find((tile) => tile.dataset.name === name)?.querySelector("video") ?? null;
  if (video !== watched) {
    watched = video;
    video?.requestVideoFrameCallback(() => watch(video));
  }
  // An element that lost its picture is black.
  if (video && monitor.frames.length && video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) note(monitor.blanks);
}, 20);

// Packets of the track that the tile plays.
let heard = { track: null, packets: 0 };
setInterval(async () => {
  const track = watched?.srcObject?.getAudioTracks()[0];
  if (!track) return;
  for (const connection of window.sightlineProbe.connections) {
    if (connection.connectionState === "closed") continue;
    for (const entry of (await connection.getStats()).values()) {
      if (entry.type !== "inbound-rtp" || entry.kind !== "audio" || entry.trackIdentifier !== track.id) continue;
      if (heard.track === track.id && entry.packetsReceived > heard.packets) note(monitor.sounds);
      heard = { track: track.id, packets: entry.packetsReceived };
    }
  }
}, 200);

let shown = 0;
setInterval(() => {
  const { length } = document.querySelectorAll('[data-testid="chat-message"][data-state="received"]');
  if (length > shown) note(monitor.messages);
  shown = length;
}, 20);

// Writes a message with the next number, as a person does.
let number = 0;
monitor.say = () => {
  const [field] = all("chat-input");
  field.value = `message ${number++}`;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  all("chat-send")[0].click();
};
monitor.sayEvery = (interval) => (monitor.saying = setInterval(monitor.say, interval));
monitor.said = () => number;
monitor.stopSaying = () => {
  clearInterval(monitor.saying);
  return number;
};
// How long after a moment each was back, in milliseconds: at the first arrival that others followed.
monitor.after = (moment) => {
  const back = (times, more, within) => {
    const at = times.findIndex((time, at) => time > moment && times[at + more] - time < within);
    return at < 0 ? null : times[at] - moment;
  };
  return {
    picture: back(monitor.frames, 5, 1000),
    sound: back(monitor.sounds, 1, 1000),
    chat: back(monitor.messages, 0, 1),
    blanks: monitor.blanks.length,
  };
};
return null;
