// What both pages without an app have in common: the camera before the click, as in a lobby, and two videos.
const address = new URLSearchParams(location.search);
const room = address.get("room");
const local = document.querySelector("[data-testid=preview]");
const remote = document.querySelector("#remote");
const join = document.querySelector("[data-testid=join]");
const capture = async () => {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: true,
    video: { width: Number(address.get("width")), height: Number(address.get("height")), frameRate: Number(address.get("fps")) },
  });
  local.srcObject = stream;
  await local.play();
  return stream;
};
const show = (stream) => {
  if (remote.srcObject !== stream) remote.srcObject = stream;
};
const tellReady = () => (document.body.dataset.state = "ready");
