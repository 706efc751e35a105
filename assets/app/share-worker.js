// The service worker of the installed app. It takes what other apps share with the app and hands it to the first page
// (crates/browser/src/files/shared.rs). It answers no other request, so no page ever comes from a cache.
const INBOX = "sightline-shared";
const MAX_FILES = 1000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "POST" && url === address("shared")) event.respondWith(take(event.request));
});

function address(path) {
  return new URL(path, self.registration.scope).href;
}

// The first page says so if it finds nothing in the inbox.
async function take(request) {
  try {
    const files = (await request.formData()).getAll("files").filter((file) => file instanceof File);
    await caches.delete(INBOX);
    const inbox = await caches.open(INBOX);
    for (const [index, file] of files.slice(0, MAX_FILES).entries()) {
      const headers = {
        "content-type": file.type,
        "x-name": encodeURIComponent(file.name),
        "x-modified-ms": String(file.lastModified),
      };
      await inbox.put(address(`shared/${index}`), new Response(file, { headers }));
    }
  } catch (error) {
    // A part of the files would look like all of them.
    await caches.delete(INBOX).catch(() => {});
    console.error(`the shared files could not be kept: ${error}`);
  }
  return Response.redirect(address("?shared"), 303);
}
