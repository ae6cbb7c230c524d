// The owner's key: taken from the address, a QR code or typed text, kept on this phone alone and
// never shown again; it signs commands.
import { CONTEXT, TAG_BYTES } from "./tables.js";

const STORE = "keys";

/** {device, key} of `#d=DW-18B2&k=<32 hex>`, an address that ends so, or bare hex; null for others. */
export function parseKey(text) {
  const part = text.includes("#") ? text.slice(text.indexOf("#") + 1) : text;
  const fields = new URLSearchParams(part.trim());
  const key = (fields.get("k") ?? part).replace(/[\s:-]/g, "").toLowerCase();
  return /^[0-9a-f]{32}$/.test(key) ? { device: fields.get("d"), key } : null;
}

/** Keeps a key in a form that signs and cannot be read back. */
export async function keep(device, hex) {
  const bytes = Uint8Array.from(hex.match(/../g), (byte) => parseInt(byte, 16));
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
  await store("readwrite", (keys) => keys.put(key, device));
}

export const find = (device) => store("readonly", (keys) => keys.get(device));
export const forget = (device) => store("readwrite", (keys) => keys.delete(device));

/** A command as it is written: body and tag over the nonce. */
export async function signed(key, nonce, body) {
  const context = new TextEncoder().encode(CONTEXT);
  const message = Uint8Array.of(...context, ...nonce, ...body);
  const tag = new Uint8Array(await crypto.subtle.sign("HMAC", key, message));
  return Uint8Array.of(...body, ...tag.slice(0, TAG_BYTES));
}

function store(mode, use) {
  return new Promise((done, failed) => {
    const opening = indexedDB.open("deckwatch", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onerror = () => failed(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const asked = use(database.transaction(STORE, mode).objectStore(STORE));
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
      asked.transaction.oncomplete = () => database.close();
    };
  });
}
