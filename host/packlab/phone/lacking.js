// Says plainly what this browser lacks, and which one has it.
import { byId, make } from "./dom.js";
import { say } from "./words.js";

/** Keys of what is missing, the worst first. */
export async function lacks() {
  const found = [];
  if (!window.isSecureContext) found.push("lacks_secure");
  if (!navigator.bluetooth) found.push("lacks_bluetooth");
  else if (!(await navigator.bluetooth.getAvailability?.() ?? true)) found.push("lacks_adapter");
  if (!crypto.subtle) found.push("lacks_crypto");
  if (!navigator.serviceWorker) found.push("lacks_worker");
  return found;
}

/** Shows it; true where nothing stands in the way of looking. */
export async function showLacking() {
  const found = await lacks();
  const blocked = found.some((key) => ["lacks_secure", "lacks_bluetooth", "lacks_adapter"].includes(key));
  const card = byId("lacking");
  card.hidden = !found.length;
  const others = found.includes("lacks_bluetooth") ? ["use_android", "use_desktop", "use_ios"] : [];
  card.replaceChildren(
    ...(blocked ? [make("h2", {}, say("lacking"))] : []),
    ...found.map((key) => make("p", { "data-lacks": key }, say(key))),
    ...(others.length ? [make("ul", {}, ...others.map((key) => make("li", {}, say(key))))] : []));
  byId("connect").disabled = blocked;
  return !blocked;
}
