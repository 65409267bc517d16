/** What this phone says of answers: put together, kept, sent once, and remembered so that the cards show it. */

import { keep, recall } from "./kept.js";
import { newId, Outbox } from "./outbox.js";

const REMEMBERED_MAX = 300;
export const UNDO_S = 6;

export class Feedback {
  /** `onChange(key)`: what is known of the feedback of this utterance is other than before. */
  constructor({ onChange }) {
    this.onChange = onChange;
    this.given = new Map(recall("given", []));
    this.outbox = new Outbox({
      onSent: (item) => this.#settle(item, { sent: true }),
      onRefused: (item, sentence) => this.#settle(item, { refused: sentence }),
    });
    this.outbox.send();
  }

  /** What was said of an utterance: {verdict, transcript, result_id, title, choice, sent, refused}; null: nothing. */
  of(key) {
    return this.given.get(key) ?? null;
  }

  /** Takes one piece of it; pieces of the same answer add up, as one may be wrong and put right. */
  give(key, piece) {
    const id = newId();
    const told = { ...this.of(key), ...piece, sent: false, refused: null, id };
    this.#remember(key, told);
    const { verdict = null, transcript = null, result_id = null, choice = null } = told;
    const body = { feedback_id: id, utterance_id: key, given_at_unix_ms: Date.now(), verdict, transcript, result_id, choice };
    this.outbox.put({ id, path: "/feedback", body });
  }

  /** Deletes an answer, unless it is taken back in time. */
  remove(key) {
    this.outbox.put({ id: `forget-${key}`, path: "/forget", body: { utterance_id: key } }, UNDO_S * 1000);
  }

  takeBack(key) {
    this.outbox.takeBack(`forget-${key}`);
  }

  isRemoved(key) {
    return this.outbox.has(`forget-${key}`);
  }

  forget(key) {
    this.given.delete(key);
    keep("given", [...this.given]);
  }

  #settle(item, change) {
    const key = item.body.utterance_id;
    const told = this.of(key);
    if (told?.id === item.id) this.#remember(key, { ...told, ...change });
    else if (item.path === "/forget") this.onChange(key, change);
  }

  #remember(key, told) {
    this.given.delete(key);
    this.given.set(key, told);
    while (this.given.size > REMEMBERED_MAX) this.given.delete(this.given.keys().next().value);
    keep("given", [...this.given]);
    this.onChange(key);
  }
}
