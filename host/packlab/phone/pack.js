// The first tab: how bad it is, charge, voltage, current, power, temperatures.
import { byId, make, put } from "./dom.js";
import { SESSIONS } from "./tables.js";
import { number, say, titleOf } from "./words.js";

const REST_A = 0.05;
const LOUD = ["info", "unknown", "warn", "alarm"];

/** live: codec.decodeLive's, null before the first. */
export function showPack(live) {
  const look = live?.look ?? "no_data";
  byId("look").className = `look ${look}`;
  const muted = live?.muted && ["warn", "alarm"].includes(look);
  const [worst] = live?.alerts ?? [];
  const what = worst && LOUD.includes(look) ? `: ${titleOf(worst.code)}` : "";
  put(byId("look").querySelector("span"), say(`look_${look}`) + what + (muted ? ` – ${say("muted")}` : ""));
  put(byId("soc"), number(live?.soc));
  put(byId("volts"), number(live?.volts, 2));
  put(byId("amps"), number(live?.amps, 2));
  put(byId("watts"), number(live?.watts));
  put(byId("flow"), say(flow(live)));
  byId("gauge").style.width = `${live?.soc ?? 0}%`;
  const session = live && live.session !== SESSIONS[0] ? say("session_on", { session: say(`session_${live.session}`) }) : "";
  put(byId("session-on"), session);
  put(byId("fets"), live && live.chargeFet !== null
    ? `${say(live.chargeFet ? "charge_fet_on" : "charge_fet_off")} · ${say(live.dischargeFet ? "discharge_fet_on" : "discharge_fet_off")}`
    : "");
  byId("temps").replaceChildren(...temperatures(live?.temps ?? []));
}

/** The current's direction in a word: a sign alone is misread. */
function flow(live) {
  if (!live || live.amps === null) return "unknown_current";
  if (Math.abs(live.amps) < REST_A) return "resting";
  if (live.amps < 0) return "discharging";
  return live.charging === false ? "flowing_in" : "charging";
}

function temperatures(temps) {
  if (!temps.length) return [make("p", { class: "hint" }, say("no_probes"))];
  return temps.map((celsius, i) =>
    make("div", {},
      make("span", {}, say("probe", { probe: i + 1 })),
      make("b", {}, celsius === null ? say("not_told") : `${number(celsius, 1)} °C`)));
}
