// The page: brings the dongle's values to the tabs and the owner's wishes to the dongle.
import { showAlerts } from "./alerts.js";
import { showCells } from "./cells.js";
import { decodeInfo, decodeLive, decodeSettings } from "./codec.js";
import { Commands } from "./commands.js";
import { byId, put } from "./dom.js";
import { showLacking } from "./lacking.js";
import { Link } from "./link.js";
import { record, setUpLog } from "./log.js";
import * as more from "./more.js";
import { find } from "./owner.js";
import { showPack } from "./pack.js";
import { outcome, showSettings } from "./settings.js";
import { CAN, RESULT } from "./tables.js";
import { loadAdvice, say, translate } from "./words.js";

const CHANGED = [RESULT.DONE, RESULT.AT_NEXT_START];
const STALE_S = 5; // as long as the dongle counts a value as known
const AGAIN_MS = 1000;
const OLDEST_S = 254;

let state = "none";
let live = null;
let liveAt = 0;
let info = null;
let settings = null;

const link = new Link({ onState, onLive, onResult: (view) => commands.heard(view) });
const commands = new Commands(link);

function onState(now) {
  const isNew = now === "connected" && state !== "connected";
  if (now === "none") info = null; // the next one may be another
  state = now;
  if (isNew) greet();
  show();
}

function onLive(view) {
  try {
    live = decodeLive(view);
  } catch {
    return; // two readings mixed, or a dongle of another kind: the next one
  }
  liveAt = Date.now();
  record(live);
  show();
}

/** After each connection: who is it, what are its settings, is its key known here. */
async function greet() {
  try {
    info = decodeInfo(await link.read("INFO"));
    await findKey();
    await readSettings();
  } catch {
    // busy with another page, or lost again: then it is greeted anew when it is back
    if (link.isConnected) setTimeout(greet, AGAIN_MS);
  }
}

async function readSettings() {
  settings = decodeSettings(await link.read("SETTINGS"));
  show();
}

/** What keys and logs are kept under: on the air it may have the name its owner gave it. */
function ownName() {
  return info?.name || link.name;
}

async function findKey() {
  commands.key = (await find(ownName())) ?? null;
  show();
}

/** Does a command; the sentence that came of it. */
async function ask(command) {
  if (!link.isConnected) return say("not_connected");
  if (!commands.key) return say("no_key");
  try {
    return outcome(await command());
  } catch (failure) {
    return say("failed", { text: failure.message });
  }
}

async function change(name, value, onHold) {
  return ask(async () => {
    const result = await commands.setOption(name, value, onHold);
    if (CHANGED.includes(result.code)) settings = { ...settings, [name]: value };
    show();
    return result;
  });
}

function show() {
  const isKnown = Boolean(link.name);
  put(byId("name"), link.name || "Deckwatch");
  put(byId("state"), say(state));
  byId("state").className = state;
  byId("welcome").hidden = isKnown && state !== "none";
  byId("pack").classList.toggle("waiting", !live);
  showPack(live);
  showCells(live);
  showAlerts(live);
  showSettings(settings, Boolean(commands.key), change);
  more.showKey(ownName(), Boolean(commands.key));
  put(byId("version"), info ? say("version", info) : say("none"));
  put(byId("log-dongle"), say(info && info.can & CAN.LOG ? "log_dongle" : "log_none"));
  byId("log-buttons").hidden = !(info && info.can & CAN.LOG);
  for (const button of document.querySelectorAll("button.owner")) {
    button.disabled = !commands.key || !link.isConnected;
  }
  byId("disconnect").hidden = state === "none";
  showAge();
}

/** Seconds since the battery itself said so: its own age plus that of the message. */
function showAge() {
  const seconds = live && live.packAge !== null ? live.packAge + Math.floor((Date.now() - liveAt) / 1000) : null;
  const isStale = seconds === null || seconds > STALE_S || !link.isConnected;
  document.body.classList.toggle("stale", isStale);
  const age = seconds > OLDEST_S ? "older" : seconds > 1 ? "old" : "now";
  put(byId("age"), live ? say(seconds === null ? "never" : age, { seconds }) : "");
}

function openTab(name) {
  for (const tab of document.querySelectorAll(".tab")) tab.hidden = tab.id !== name;
  for (const button of document.querySelectorAll("nav button")) {
    button.setAttribute("aria-current", button.dataset.tab === name ? "page" : "false");
  }
  if (name === "settings") readSettings().catch(() => {}); // another phone may have changed some
  scrollTo(0, 0);
}

async function start() {
  translate(document);
  more.setUpTheme();
  more.setUpScreen();
  more.setUpCommands(commands, ask);
  more.setUpSessions(commands, ask);
  more.setUpKey(ownName, findKey);
  setUpLog(ownName, commands, link, ask);
  for (const button of document.querySelectorAll("nav button")) {
    button.onclick = () => openTab(button.dataset.tab);
  }
  byId("connect").onclick = () => link.choose().catch((failure) => {
    put(byId("welcome-said"), failure.name === "NotFoundError" ? "" : failure.message);
  });
  byId("disconnect").onclick = () => link.leave();
  openTab("pack");
  show();
  setInterval(showAge, 1000);
  navigator.serviceWorker?.register("sw.js");
  await loadAdvice().catch(() => {});
  const ready = await showLacking();
  if (crypto.subtle) await more.takeKeyFromAddress();
  document.body.dataset.ready = "yes";
  show();
  if (ready) await link.resume();
}

start();
