// The service worker of the installed app. It takes what other apps share with the app and hands it to the first page
// (crates/browser/src/files/shared.rs). It answers no other request, so no page ever comes from a cache.
const INBOX = "sightline-shared";
// As many as a page sends (`MAX_FILES_FROM_HERE`, crates/core/src/transfer/page/choosing.rs).
const MAX_FILES = 20000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "POST" && url === address("shared")) event.respondWith(take(event.request));
});

function address(path) {
  return new URL(path, self.registration.scope).href;
}

// Any web page can send files here, as with a form. So the first page only shows them, and a person decides. It says so if it
// finds nothing in the inbox.
async function take(request) {
  try {
    const files = (await request.formData()).getAll("files").filter((file) => file instanceof File);
    if (files.length > MAX_FILES) throw new RangeError(`${files.length} files are too many`);
    await caches.delete(INBOX);
    const inbox = await caches.open(INBOX);
    for (const [index, file] of files.entries()) {
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
