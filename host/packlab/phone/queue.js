// One operation at a time: phones refuse a second one on the attributes while the first is under
// way. What is asked meanwhile waits for its turn; a failure is the asker's alone.

export class Queue {
  #last = Promise.resolve();

  /** What `operation` (a function that returns a promise) comes to, once its turn has come. */
  run(operation) {
    const turn = this.#last.then(operation);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
