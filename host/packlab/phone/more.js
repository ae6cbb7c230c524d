// The fourth tab: what the owner may ask of the dongle, the key itself, colours, the screen.
import { byId, make, put } from "./dom.js";
import * as owner from "./owner.js";
import { canScan, scan } from "./scan.js";
import { SESSIONS } from "./tables.js";
import { say } from "./words.js";

const MUTE_MIN = 10;
const THEMES = ["auto", "light", "night"];

/** ask(sayInto, command): does a command and puts what came of it into an element. */
export function setUpCommands(commands, ask) {
  const buttons = [
    ["acknowledge", "alerts-said", () => commands.acknowledge()],
    ["blink", "dongle-said", () => commands.blink()],
    ["self-test", "dongle-said", () => commands.selfTest()],
    ["mute", "dongle-said", () => commands.mute(MUTE_MIN)],
    ["set-time", "dongle-said", () => commands.setTime(Math.floor(Date.now() / 1000))],
  ];
  for (const [button, said, command] of buttons) {
    byId(button).onclick = async () => put(byId(said), await ask(command));
  }
}

/** The two sessions that are the owner's to start. */
export function setUpSessions(commands, ask) {
  const kinds = SESSIONS.slice(1);
  byId("session-kind").append(...kinds.map((kind) => make("option", { value: kind }, say(`session_${kind}`))));
  const show = () => {
    const kind = byId("session-kind").value;
    byId("session-target-part").hidden = kind !== "recovering";
    put(byId("session-what"), say(`session_what_${kind}`));
  };
  byId("session-kind").onchange = show;
  show();
  const begin = async (kind, volts) => {
    let text = "";
    const said = await ask(async () => {
      const result = await commands.session(kind, Math.round(volts * 1000));
      text = kind ? "" : result.text;
      return result;
    });
    put(byId("session-said"), `${said} ${text}`.trim());
  };
  byId("session-form").onsubmit = (event) => {
    event.preventDefault();
    const kind = byId("session-kind").value;
    begin(SESSIONS.indexOf(kind), kind === "recovering" ? Number(byId("session-target").value) : 0);
  };
  byId("session-end").onclick = () => begin(0, 0);
}

/** device(): name of the connected dongle; changed(): the key was kept or forgotten. */
export function setUpKey(device, changed) {
  const keep = async (text) => {
    const found = owner.parseKey(text);
    const name = found?.device ?? device();
    if (!found || !name) return put(byId("key-said"), say(found ? "key_first" : "key_wrong"));
    await owner.keep(name, found.key);
    byId("key-entry").value = "";
    put(byId("key-said"), say("key_known", { device: name }));
    return changed();
  };
  byId("key-form").onsubmit = (event) => {
    event.preventDefault();
    keep(byId("key-entry").value);
  };
  byId("key-forget").onclick = async () => {
    await owner.forget(device());
    put(byId("key-said"), "");
    changed();
  };
  canScan().then((can) => (byId("scan").hidden = !can));
  byId("scan").onclick = async () => {
    put(byId("key-said"), say("scan_hint"));
    try {
      const text = await scan(byId("camera"));
      if (text) await keep(text);
    } catch (failure) {
      put(byId("key-said"), say("scan_failed", { text: failure.message }));
    }
  };
}

/** A key that came with the address is kept, and the address cleared of it. */
export async function takeKeyFromAddress() {
  const found = location.hash && owner.parseKey(location.hash);
  if (!found?.device) return;
  await owner.keep(found.device, found.key);
  history.replaceState(null, "", location.pathname + location.search);
}

export function showKey(device, known) {
  put(byId("key-state"), known ? say("key_known", { device }) : say("key_unknown"));
  byId("key-form").hidden = known;
  byId("key-forget").hidden = !known;
}

export function setUpTheme() {
  const choose = (theme) => {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("theme", theme);
    for (const button of byId("theme").children) {
      button.setAttribute("aria-pressed", button.dataset.theme === theme);
    }
  };
  byId("theme").append(...THEMES.map((theme) => {
    const button = make("button", { "data-theme": theme }, say(`theme_${theme}`));
    button.onclick = () => choose(theme);
    return button;
  }));
  choose(localStorage.getItem("theme") ?? "auto");
}

/** The screen stays on while the box is ticked and the page is seen. */
export function setUpScreen() {
  let lock = null;
  const renew = async () => {
    const wanted = byId("screen").checked && !document.hidden;
    if (wanted && !lock) lock = await navigator.wakeLock.request("screen").catch(() => null);
    if (!wanted) await lock?.release().then(() => (lock = null));
    lock?.addEventListener("release", () => (lock = null), { once: true });
  };
  byId("screen").disabled = !navigator.wakeLock;
  byId("screen").onchange = renew;
  document.addEventListener("visibilitychange", renew);
}
