// Every word the page says, in the browser's language where there are words in it.
import de from "./words.de.js";
import en from "./words.en.js";

const languages = { de, en };
export const language = navigator.languages
  .map((tag) => tag.slice(0, 2).toLowerCase())
  .find((tag) => tag in languages) ?? "en";
const words = languages[language];

/** The words of a key, with {name} replaced by values; the key itself where there are none. */
export const say = (key, values = {}) =>
  (words[key] ?? en[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

/** A number as it is written here; a dash for null. */
export const number = (value, decimals = 0) =>
  value === null || value === undefined
    ? "–"
    : value.toLocaleString(language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });

/** Titles, meanings and advice (advice.*.json); empty until they are there. */
export const advice = { guardrails: {} };
export async function loadAdvice() {
  const answer = await fetch(`advice.${language}.json`);
  Object.assign(advice, await answer.json());
}

/** What a guardrail is called. */
export const titleOf = (code) =>
  advice.guardrails[code]?.title ?? code.replace(/_/g, " ").replace(/^./, (c) => c.toUpperCase());

/** Puts words into every element below `root` that names a key. */
export function translate(root) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll("[data-say]")) {
    element.textContent = say(element.dataset.say);
  }
}
