// The way to the dongle: chosen once, then held, and found again by itself when it is lost.
import { isCut } from "./codec.js";
import { Queue } from "./queue.js";
import { CHARACTERISTICS, SERVICE } from "./tables.js";

const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 15000;
const SILENCE_MS = 3000; // without a notification for so long, the value is read
const OPERATION_MS = 10000;

/** Tells `onState("none" | "connecting" | "connected" | "lost")`, `onLive(view)`, `onResult(view)`. */
export class Link {
  #device = null;
  #found = {};
  #queue = new Queue();
  #wanted = false;
  #trying = false;
  #heardAt = 0;
  #wake = () => {};

  constructor(handlers) {
    this.handlers = handlers;
    setInterval(() => this.#listen(), 1000);
    document.addEventListener("visibilitychange", () => document.hidden || this.#wake());
  }

  get name() {
    return this.#device?.name ?? "";
  }

  get isConnected() {
    return Boolean(this.#found.LIVE);
  }

  /** Lets a person choose; only within a click. */
  async choose() {
    const filters = [{ services: [SERVICE] }, { namePrefix: "DW-" }];
    this.#use(await navigator.bluetooth.requestDevice({ filters, optionalServices: [SERVICE] }));
    return this.#connect();
  }

  /** Goes on with a dongle of an earlier visit, where the browser remembers it. */
  async resume() {
    const [known] = (await navigator.bluetooth.getDevices?.()) ?? [];
    if (!known || this.#device) return;
    this.#use(known);
    await this.#connect();
  }

  /** Ends it; it is not looked for again. */
  leave() {
    this.#wanted = false;
    this.#device?.gatt.disconnect();
    this.#lost();
  }

  read(name) {
    return this.#operate(name, (found) => found.readValue());
  }

  write(name, bytes) {
    return this.#operate(name, (found) => found.writeValueWithResponse(bytes));
  }

  #use(device) {
    this.#device = device;
    this.#wanted = true;
    device.addEventListener("gattserverdisconnected", () => {
      if (device !== this.#device) return;
      this.#lost();
      if (this.#wanted) this.#connect();
    });
  }

  async #operate(name, operation) {
    return this.#queue.run(() => {
      const found = this.#found[name];
      if (!found) throw new DOMException("not connected", "NetworkError");
      return inTime(operation(found));
    });
  }

  /** Until it is connected, or no longer wanted; longer and longer pauses. */
  async #connect() {
    if (this.#trying) return;
    this.#trying = true;
    for (let pause = FIRST_PAUSE_MS; this.#wanted; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      this.handlers.onState("connecting");
      try {
        await this.#discover();
        break;
      } catch {
        this.#found = {};
        this.handlers.onState("lost");
        await new Promise((done) => {
          this.#wake = done;
          setTimeout(done, pause);
        });
      }
    }
    this.#trying = false;
  }

  /** Everything found before is dead after a drop: connect, discover and subscribe anew. */
  async #discover() {
    const server = await inTime(this.#device.gatt.connect());
    const service = await inTime(server.getPrimaryService(SERVICE));
    const found = {};
    for (const [name, uuid] of Object.entries(CHARACTERISTICS)) {
      found[name] = await inTime(service.getCharacteristic(uuid));
    }
    await this.#subscribe(found.RESULT, (view) => this.handlers.onResult(view));
    await this.#subscribe(found.LIVE, (view) => this.#onLive(view));
    this.#found = found;
    this.#heardAt = 0;
    this.handlers.onState("connected");
  }

  async #subscribe(characteristic, heard) {
    characteristic.addEventListener("characteristicvaluechanged", (event) => heard(event.target.value));
    await inTime(characteristic.startNotifications());
  }

  #onLive(view) {
    if (isCut(view)) return; // #listen reads it
    this.#heardAt = Date.now();
    this.handlers.onLive(view);
  }

  /** Where notifications do not come, or come cut, the value is read, which tells the same. */
  #listen() {
    if (this.isConnected && Date.now() - this.#heardAt > SILENCE_MS) this.read("LIVE").catch(() => {});
  }

  #lost() {
    this.#found = {};
    this.handlers.onState(this.#wanted ? "lost" : "none");
  }
}

function inTime(promise) {
  let timer;
  const late = new Promise((_, failed) => {
    timer = setTimeout(() => failed(new DOMException("no answer", "NetworkError")), OPERATION_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
