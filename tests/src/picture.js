// A few points of the picture of the member with the name arguments[0].
const tile = [...document.querySelectorAll('[data-testid="tile"]')].find((tile) => tile.dataset.name === arguments[0]);
const video = tile?.querySelector("video");
if (!video || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA || !video.videoWidth) return null;
const canvas = new OffscreenCanvas(32, 24);
const context = canvas.getContext("2d", { willReadFrequently: true });
context.drawImage(video, 0, 0, canvas.width, canvas.height);
const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
const luma = [];
for (let at = 0; at < data.length; at += 4) {
  luma.push(Math.round(0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2]));
}
return { width: video.videoWidth, height: video.videoHeight, luma };
