// The second tab: alerts in words with what to do about them, and what nobody watches here.
import { extremes } from "./codec.js";
import { byId, make } from "./dom.js";
import { advice, say, titleOf } from "./words.js";

const MARKS = { info: "i", warn: "!", alarm: "!!" };
const DEEP_MV = 2000; // an emptier cell is charged alone and gently
const DEAD_MV = 1500; // and one emptier still not at all

/** Which cell an alert is about. */
const CELL = { cell_spread: "lowest", cell_low: "lowest", cell_high: "highest" };

let shown = "";

/** live: codec.decodeLive's, null before the first. */
export function showAlerts(live) {
  const cells = live && extremes(live.cellMv);
  const alerts = (live?.alerts ?? []).map((alert) => ({ ...alert, cell: cells?.[CELL[alert.code]] }));
  const loud = alerts.filter((alert) => !alert.unknown && alert.level !== "info").length;
  byId("badge").hidden = !alerts.length;
  byId("badge").textContent = alerts.length;
  byId("badge").className = loud ? "loud" : "";
  const now = JSON.stringify([alerts, live?.unwatched]);
  if (now === shown) return; // what somebody is reading is not replaced
  shown = now;
  const cards = alerts.map((alert) => card(alert, live));
  const none = make("div", { class: "card" }, make("p", {}, say("no_alerts")));
  byId("alert-list").replaceChildren(...(cards.length ? cards : [none]));
  const unwatched = live?.unwatched ?? [];
  const items = unwatched.map((code) => make("li", {}, titleOf(code)));
  byId("unwatched").replaceChildren(...(items.length || !live ? items : [make("li", {}, say("all_watched"))]));
}

function card(alert, live) {
  const words = advice.guardrails[alert.code] ?? {};
  const level = alert.unknown ? "unknown" : alert.level;
  const name = say(`level_${alert.level}`)
    + (alert.unknown ? ` – ${say("out_of_sight")}` : "")
    + (alert.cell ? ` – ${say("cell", { cell: alert.cell })}` : "");
  return make("article", { class: `card alert ${level}`, "data-code": alert.code },
    make("h3", {}, make("i", { "aria-hidden": "true" }, alert.unknown ? "?" : MARKS[alert.level]), titleOf(alert.code)),
    make("p", { class: "level" }, name),
    make("p", {}, words.meaning ?? ""),
    make("h4", {}, say("what_to_do")),
    make("p", { class: "advice" }, whatToDo(alert, words, live)));
}

function whatToDo(alert, words, live) {
  const lowest = extremes(live.cellMv)?.low;
  if (alert.code === "cell_low" && lowest !== undefined && lowest <= DEEP_MV) {
    return lowest < DEAD_MV ? words.dead : words.deep;
  }
  return (alert.level === "info" && words.hint) || words.now || "";
}
