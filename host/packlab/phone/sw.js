// Keeps the page for use without a network. All files of one version are kept together, so that
// old and new ones never meet; shell.js names version and files, and a change of it brings the new.
importScripts("shell.js");

self.addEventListener("install", (event) => {
  const fresh = SHELL.files.map((file) => new Request(file, { cache: "reload" }));
  event.waitUntil(caches.open(SHELL.version).then((cache) => cache.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(tidyUp()));

async function tidyUp() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== SHELL.version).map((name) => caches.delete(name)));
  await self.clients.claim();
}

self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET") event.respondWith(answer(event.request));
});

async function answer(request) {
  const cache = await caches.open(SHELL.version);
  return (await cache.match(request, { ignoreSearch: true })) ?? fetch(request);
}
