// A call without a library: an RTCPeerConnection and a WebSocket that passes frames to the other page of the room. With `ahead` the
// socket is open before the click.
(async () => {
  const stream = await capture();
  const isWaiting = address.has("wait");
  const open = () => new Promise((resolve) => {
    const socket = new WebSocket(`ws://${location.host}/raw`);
    socket.onopen = () => resolve(socket);
  });
  const begin = (socket) => {
    const say = (message) => socket.send(JSON.stringify(message));
    const connection = new RTCPeerConnection();
    connection.onicecandidate = ({ candidate }) => candidate && say({ candidate });
    connection.ontrack = ({ streams }) => show(streams[0]);
    for (const track of stream.getTracks()) connection.addTrack(track, stream);
    socket.onmessage = async ({ data }) => {
      const { joined, description, candidate } = JSON.parse(data);
      if (joined !== undefined) {
        if (isWaiting) return tellReady();
        await connection.setLocalDescription();
        say({ description: connection.localDescription });
      } else if (description) {
        await connection.setRemoteDescription(description);
        if (description.type === "offer") {
          await connection.setLocalDescription();
          say({ description: connection.localDescription });
        }
      } else if (candidate) {
        await connection.addIceCandidate(candidate);
      }
    };
    say({ join: room });
  };
  if (isWaiting) return begin(await open());
  const ahead = address.has("ahead") ? await open() : undefined;
  join.hidden = false;
  join.onclick = async () => begin(ahead ?? (await open()));
})();
