// What the owner says to the dongle: signs it over a fresh nonce and waits for the answer.
import { commandBody, decodeResult, encodeOption, uint32 } from "./codec.js";
import { signed } from "./owner.js";
import { Queue } from "./queue.js";
import { HOLD_MS, OP, RESULT } from "./tables.js";

const ANSWER_MS = 5000;
const CUT_BYTES = 20; // that long a notification may be the beginning of an answer
const SLACK_MS = 3000;

export class Commands {
  #waiting = new Map();
  #turns = new Queue(); // a second nonce would spoil the first
  #req = 0;

  constructor(link) {
    this.link = link;
    this.key = null;
  }

  /** Called with every value of the result characteristic. */
  heard(view) {
    const result = decodeResult(view);
    this.#waiting.get(result.req)?.({ ...result, isCut: view.byteLength === CUT_BYTES });
  }

  acknowledge = () => this.#say(OP.ACKNOWLEDGE);
  mute = (minutes) => this.#say(OP.MUTE, [minutes]);
  blink = () => this.#say(OP.BLINK);
  selfTest = () => this.#say(OP.SELF_TEST);
  setTime = (seconds) => this.#say(OP.SET_TIME, uint32(seconds));
  readLog = (first, count) => this.#say(OP.READ_LOG, [...uint32(first), count]);

  /** Number of a session, 0 ends it; the target of each group in mV, 0 for none. */
  session = (kind, targetMv) => this.#say(OP.START_SESSION, targetMv ? [kind, targetMv & 0xff, targetMv >> 8] : [kind]);

  /** onHold is called when the dongle wants its button held; the answer then takes up to 30 s. */
  setOption(name, value, onHold) {
    return this.#say(OP.SET_OPTION, encodeOption(name, value), onHold);
  }

  async #say(op, payload = [], onHold = () => {}) {
    this.#req = (this.#req + 1) % 256;
    const req = this.#req;
    const body = commandBody(op, req, payload);
    const result = await this.#turns.run(async () => {
      const nonce = new Uint8Array((await this.link.read("NONCE")).buffer);
      const frame = await signed(this.key, nonce, body);
      const answer = this.#answer(req, ANSWER_MS);
      await this.link.write("COMMAND", frame);
      return this.#whole(await answer, req);
    });
    if (result.code !== RESULT.HOLD_BUTTON) return result;
    const answer = this.#answer(req, HOLD_MS + SLACK_MS, (one) => one.code !== RESULT.HOLD_BUTTON);
    onHold(result);
    return this.#whole(await answer, req);
  }

  /** The next answer to a command that fits, null when none comes in time. */
  #answer(req, ms, fits = () => true) {
    return new Promise((done) => {
      const timer = setTimeout(() => this.#waiting.get(req)?.(null), ms);
      this.#waiting.set(req, (result) => {
        if (result && !fits(result)) return;
        clearTimeout(timer);
        this.#waiting.delete(req);
        done(result);
      });
    });
  }

  /** The answer; it is read where its notification was lost or may have been cut. */
  async #whole(answer, req) {
    if (answer && !answer.isCut) return answer;
    const result = decodeResult(await this.link.read("RESULT"));
    if (result.req !== req) throw new DOMException("no answer", "NetworkError");
    return result;
  }
}
