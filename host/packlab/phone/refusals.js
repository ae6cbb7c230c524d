// Why the dongle refuses a command: its sentences, which are English and the firmware's, in the
// reader's language and with the units of the screen.
import { label, written } from "./options.js";
import { OPTIONS } from "./tables.js";
import { say, titleOf } from "./words.js";

// [sentence, word, what its parts are]
const SENTENCES = [
  [/^"(\w+)" is .*; it must be a whole number from (-?\d+) to (-?\d+)/, "refusal_range", ["option", "low", "high"]],
  [/^"(\w+)" (?:is .*; it )?must be one of: (.+)$/, "refusal_choice", ["option", "choices"]],
  [/^"(\w+)" has a number of \d+ bytes$/, "refusal_number", ["option"]],
  [/^there is no option \d+$/, "refusal_option", []],
  [/^there is no session \d+$/, "refusal_session", []],
  [/^the time lies before 2026$/, "refusal_time", []],
];

const named = (option) => (option.code ? `${titleOf(option.code)}, ${label(option)}` : label(option));

/** The sentence in words of the page; as it came where it is another one. */
export function explained(text) {
  for (const [sentence, word, parts] of SENTENCES) {
    const found = sentence.exec(text);
    if (!found) continue;
    const values = Object.fromEntries(parts.map((part, place) => [part, found[place + 1]]));
    const option = OPTIONS.find((one) => one.name === values.option);
    if (option) {
      values.option = named(option);
      if (parts.includes("low")) {
        values.low = written(option, Number(values.low));
        values.high = written(option, Number(values.high));
      }
    }
    return say(word, values);
  }
  return text;
}
