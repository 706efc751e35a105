// Everything that tests read of a page, in one call.
const all = (id, within = document) => [...within.querySelectorAll(`[data-testid="${id}"]`)];
const isShown = (element) => element.checkVisibility();
return {
  path: location.pathname,
  fragment: location.hash,
  protection: [...all("protection"), ...all("room-trust")].filter(isShown).map((element) => element.dataset.trust),
  language: (document.documentElement?.lang ?? ""),
  title: document.title,
  is_busy: document.body?.ariaBusy === "true",
  shown: [...document.querySelectorAll("[data-testid]")].filter(isShown).map((element) => element.dataset.testid),
  connection: all("connection-status")[0]?.dataset.state ?? null,
  invitation: all("share-link")[0]?.dataset.url ?? null,
  focused: document.activeElement?.dataset.testid ?? null,
  announcement: all("announcement")[0]?.textContent ?? "",
  notices: all("notice").map((notice) => ({ code: notice.dataset.code, text: notice.innerText.trim() })),
  tiles: all("tile").map((tile) => ({
    member: tile.dataset.member,
    name: tile.dataset.name,
    state: tile.dataset.state ?? null,
    path: tile.dataset.path ?? null,
    trust: tile.dataset.trust ?? null,
    code: all("trust-code", tile)[0]?.dataset.code ?? null,
    mic: tile.dataset.mic ?? null,
    camera: tile.dataset.camera ?? null,
    text: tile.innerText,
    is_mirrored: [...tile.querySelectorAll("video")].some((video) => {
      const { scale, transform } = getComputedStyle(video);
      return scale.startsWith("-") !== new DOMMatrix(transform).a < 0;
    }),
  })),
  messages: all("chat-message").map((message) => ({
    id: message.dataset.id,
    state: message.dataset.state,
    text: message.innerText,
    links: [...message.querySelectorAll("a")].map((link) => link.href),
  })),
  transfers: all("transfer").map((transfer) => ({
    id: transfer.dataset.id,
    member: transfer.dataset.member,
    name: transfer.dataset.name,
    direction: transfer.dataset.direction,
    size: Number(transfer.dataset.size),
    bytes: Number(transfer.dataset.bytes),
    state: transfer.dataset.state,
    reach: transfer.dataset.reach,
    code: transfer.dataset.code ?? null,
    hash: all("transfer-hash", transfer)[0]?.textContent ?? null,
    can_be_saved: all("transfer-save", transfer).length === 1,
    text: transfer.innerText,
  })),
  figures: all("stat").map((stat) => ({
    member: stat.dataset.member,
    metric: stat.dataset.metric,
    value: stat.dataset.value,
  })),
  // Elements that only injected markup could have made.
  injected: document.querySelectorAll("[data-injected], .injected, #injected").length,
};
