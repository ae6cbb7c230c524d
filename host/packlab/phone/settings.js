// The third tab: every option with its unit and range; to be changed only by who has the key.
import { byId, make, put } from "./dom.js";
import { explained } from "./refusals.js";
import { isSwitch, label, UNITS, written } from "./options.js";
import { OPTIONS, RESULT } from "./tables.js";
import { number, say, titleOf } from "./words.js";

let shown = "";
const places = new Map(); // where each option's value stands
let current = {};

/** values: by option name; may: is the key known; change(name, value, onHold) -> the sentence that
 * came of it. */
export function showSettings(values, may, change) {
  const hint = !values ? "settings_wait" : may ? "settings_open" : "settings_locked";
  put(byId("settings-hint"), say(hint));
  current = values;
  const now = JSON.stringify([Object.keys(values ?? {}), may]);
  if (now === shown) { // what somebody is typing is not replaced
    for (const option of OPTIONS) {
      if (places.has(option.name)) put(places.get(option.name), written(option, values[option.name]));
    }
    return;
  }
  shown = now;
  places.clear();
  byId("setting-list").replaceChildren();
  if (!values) return;
  group("general", OPTIONS.filter((option) => !option.code));
  for (const code of new Set(OPTIONS.map((option) => option.code).filter(Boolean))) {
    group(code, OPTIONS.filter((option) => option.code === code));
  }

  function group(code, options) {
    const title = code === "general" ? say(code) : titleOf(code);
    const rows = options.filter((option) => option.name in values).map(row);
    byId("setting-list").append(make("div", { class: "card" }, make("h2", {}, title), ...rows));
  }

  function row(option) {
    const value = make("b", {}, written(option, values[option.name]));
    places.set(option.name, value);
    const head = make("button", { class: "setting", "data-option": option.name },
      make("span", {}, label(option), make("small", {}, range(option))), value);
    const body = make("div", { class: "edit", hidden: "" });
    head.disabled = !may;
    head.onclick = () => {
      body.hidden = !body.hidden;
      if (!body.hidden) edit(option, current[option.name], body, change);
    };
    return make("div", {}, head, body);
  }
}

function edit(option, value, body, change) {
  const input = field(option, value);
  const said = make("p", { class: "said", role: "status" });
  const save = make("button", { class: "main" }, say("save"));
  const form = make("form", {}, input.element, save, said);
  form.onsubmit = async (event) => {
    event.preventDefault();
    save.disabled = true;
    put(said, say("saving"));
    put(said, await change(option.name, input.value(), () => put(said, say("hold_button"))));
    save.disabled = false;
  };
  body.replaceChildren(form);
}

/** {element, value()}: a choice, or a number in the unit of the screen with "no limit" beside it. */
function field(option, value) {
  const choices = option.choices ?? (isSwitch(option) ? [0, 1] : null);
  if (choices) {
    const select = make("select", { "aria-label": label(option) },
      ...choices.map((choice) => make("option", { value: choice }, written(option, choice))));
    select.value = value;
    return { element: select, value: () => (option.choices ? select.value : Number(select.value)) };
  }
  const [factor, , decimals] = UNITS[option.unit] ?? [1, option.unit ?? "", 0];
  const entry = make("input", { type: "number", inputmode: "decimal", step: 10 ** -decimals, "aria-label": label(option),
    min: option.low / factor, max: option.high / factor, value: value === null ? "" : value / factor, required: "" });
  const read = () => Math.round(Number(entry.value) * factor);
  if (!option.code) return { element: entry, value: read };
  const none = make("input", { type: "checkbox" });
  none.checked = value === null;
  none.onchange = () => (entry.disabled = none.checked);
  none.onchange();
  const beside = make("label", { class: "switch" }, make("span", {}, say("no_limit")), none);
  return { element: make("div", {}, entry, beside), value: () => (none.checked ? null : read()) };
}

function range(option) {
  if (option.choices || isSwitch(option)) return "";
  return say("range", { low: written(option, option.low), high: written(option, option.high) });
}

/** What came of a command, in words. */
export function outcome(result) {
  const name = Object.keys(RESULT).find((key) => RESULT[key] === result.code) ?? "TROUBLE";
  return say(`result_${name.toLowerCase()}`, { text: explained(result.text) });
}
