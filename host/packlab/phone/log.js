// What the page has seen, a row a second, to be saved as a table.
import { byId, put } from "./dom.js";
import { language, say } from "./words.js";

const MOST_ROWS = 6 * 3600;
const rows = [];

export function record(live) {
  rows.push({ at: new Date(), live });
  if (rows.length > MOST_ROWS) rows.shift();
  put(byId("log-here"), say("log_here", { rows: rows.length }));
}

/** Comma separated; a field is empty where nothing was known. */
export function csv() {
  const most = (field) => Math.max(0, ...rows.map((row) => row.live[field].length));
  const [cells, temps] = [most("cellMv"), most("temps")];
  const count = (n, name) => Array.from({ length: n }, (_, i) => `${name}${i + 1}`);
  const head = ["time", "look", "soc_pct", "pack_v", "current_a", "power_w",
    ...count(cells, "cell_mv_"), ...count(temps, "temp_c_"), "cells_age_s", "alerts"];
  const lines = rows.map(({ at, live }) => [
    at.toISOString(), live.look, live.soc, live.volts, live.amps, live.watts?.toFixed(1),
    ...Array.from({ length: cells }, (_, i) => live.cellMv[i]),
    ...Array.from({ length: temps }, (_, i) => live.temps[i]),
    live.cellsAge,
    live.alerts.map((alert) => `${alert.code}:${alert.unknown ? "unknown" : alert.level}`).join(" "),
  ]);
  return [head, ...lines].map((line) => line.map((field) => field ?? "").join(",")).join("\r\n") + "\r\n";
}

export function setUpLog(device) {
  put(byId("log-here"), say("log_here", { rows: 0 }));
  byId("log-save").onclick = () => save(`${device() || "deckwatch"}-${stamp()}.csv`, csv());
}

const stamp = () => new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-");

export function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: `text/csv;charset=utf-8;lang=${language}` }));
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
