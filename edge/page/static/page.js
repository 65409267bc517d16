/** The page: events come in by the stream, become answers, and are shown as cards. The parts are put together here. */

import { Answers } from "./answers.js";
import { Budget } from "./budget.js";
import { asName, givenInWords, makeCard } from "./card.js";
import { makeCorrection, putCorrection } from "./correction.js";
import { byId, element, put } from "./element.js";
import { Feed } from "./feed.js";
import { Feedback, UNDO_S } from "./feedback.js";
import { dropAll, keep, recall } from "./kept.js";
import { Menu } from "./menu.js";
import { keepPage } from "./kept_page.js";
import { post, sentenceOf } from "./outbox.js";
import { painted } from "./paint.js";
import { newest, Older, Search } from "./past.js";
import { Stage } from "./stage.js";
import { Stream } from "./stream.js";
import { Talk } from "./talk.js";
import { fill, loadWords, say } from "./words.js";

/** What is older is not read aloud when it comes in. */
const NEW_MS = 120_000;
const NOTICE_MS = 8000;
/** Feedback in which nothing is said: what was said before is taken back. */
const NOTHING = { verdict: null, transcript: null, result_id: null, choice: null, title: null };

class Page {
  constructor() {
    this.who = recall("hello", { board: "", phone: "" });
    this.answers = new Answers();
    this.others = { history: null, number: 0 }; // What is known of other boards' answers, which no browser keeps.
    this.feedback = new Feedback({ onChange: (key, change) => this.#fed(key, change) });
    const entryOf = (key) => (this.feedback.isRemoved(key) && !this.removing.has(key) ? null : this.answers.entries.get(key));
    const cardOf = (key) => this.#card(key);
    this.removing = new Map(); // By key, the timer of what can still be undone.
    this.feed = new Feed(byId("feed"), { entryOf, cardOf, onAbove: (n) => this.#above(n) });
    this.older = new Older({ answers: this.answers, feed: this.feed, take: (answers) => this.#takeNext(answers) });
    this.search = new Search({ answers: this.answers, take: (answers) => this.#take(answers), cardOf });
    this.stage = new Stage({ onDo: (name) => this.#do(name), onTry: () => this.stream.connect() });
    this.talk = new Talk({ onSpeak: () => this.#toTop() });
    this.budget = new Budget({ captureMs: () => this.talk.microphone.captureMs });
    this.menu = new Menu({ onBudget: () => this.budget.show(!this.budget.isShown), budgetShown: () => this.budget.isShown });
    this.stream = new Stream({
      after: () => this.answers.after,
      others: () => this.others,
      onEvent: (name, data, id) => this[`on_${name}`](data, id),
      onState: (state, next_try_at, sentence) => this.#connected(state, next_try_at, sentence),
    });
  }

  begin() {
    if (this.who.board) this.#introduce(this.who);
    for (const key of this.answers.entries.keys()) this.feed.change(key);
    this.feed.flush();
    this.#count();
    for (const list of [byId("feed"), byId("found")]) list.addEventListener("click", (event) => this.#clicked(event));
    byId("new").addEventListener("click", () => {
      this.#toTop();
      byId("answers").focus({ preventScroll: true });
    });
    addEventListener("scroll", () => scrollY < 8 && this.#seenAll(), { passive: true });
    addEventListener("pagehide", () => this.answers.keepNow());
    this.budget.show(new URLSearchParams(location.search).has("debug"));
    this.stream.connect();
  }

  // What the board tells.

  on_hello(told) {
    const hello = { ...told, board: asName(told.board) };
    keep("hello", hello);
    this.#introduce(hello);
    keepPage(hello.version);
    this.feedback.outbox.boardIsBack();
    this.older.begin();
    this.#count();
    // Null: the board's disk does not say.
    if (hello.history === null) return;
    // A board that has told less than this page knows has begun anew.
    const isNew = this.answers.after > hello.last;
    const isOther = this.answers.history !== null && this.answers.history !== hello.history || isNew;
    this.answers.history = hello.history;
    if (isNew) this.answers.after = 0;
    if (isOther) this.#reconcile();
  }

  /** Who the board is: as it says, and before it says anything, as it said last. */
  #introduce(hello) {
    this.who = hello;
    this.menu.hello = hello;
    this.older.board = hello.board;
    this.stage.hello(hello);
    byId("dock").hidden = !hello.microphone;
    byId("first-phone").hidden = !hello.microphone;
  }

  on_state(state) {
    this.stage.state(state);
  }

  on_level(level) {
    this.stage.level(level);
  }

  on_partial(partial) {
    this.stage.hear(partial, performance.now());
  }

  /** Other boards' answers follow; where they are of another history, those of before are gone. `sentence`: why none come. */
  on_others({ history, sentence }) {
    put(byId("others-note"), sentence && say("answers.others.away", { sentence }));
    if (!history || history === this.others.history) return;
    this.others = { history, number: 0 };
    for (const { key, card } of [...this.answers.entries.values()]) if (card.board) this.#drop(key);
    this.#count();
  }

  /** What another board was answered: it is shown in its place, and not read aloud. */
  #other(card) {
    this.others.number = Math.max(this.others.number, card.number);
    if (!this.answers.add(card, 0)) return;
    this.#changed(card.utterance_id);
    this.#count();
  }

  on_answer(card, id) {
    if (card.board) {
      this.#other(card);
      return;
    }
    const since = performance.now();
    const was = this.answers.add(card, id);
    if (id) this.answers.seen(id);
    if (!was) return;
    const isTwin = Boolean(card.twin_of);
    if (!isTwin) this.stage.answered(card);
    const key = card.utterance_id;
    this.#changed(key, () => {
      painted("final-painted", since, { utterance_id: key, kind: card.kind }, (paint_ms) => this.budget.painted(key, paint_ms));
    });
    this.#count();
    if (!isTwin && Date.now() - card.at_unix_ms < NEW_MS) this.#readAloud(card);
  }

  on_timing(timing) {
    this.budget.timing(timing);
  }

  on_forgotten({ utterance_ids: keys, all }) {
    if (all) {
      this.#reconcile();
      return;
    }
    for (const key of keys ?? []) this.#drop(key);
    this.#count();
  }

  /** Something was erased at the board: what it does not have any more goes here too. */
  async #reconcile() {
    let left = [];
    // What is told while it is asked is not among what it is told.
    const before = [...this.answers.entries.values()].filter(({ id }) => id);
    try {
      left = await newest(Math.max(this.answers.entries.size, 1));
    } catch {
      // Nobody says what is left: nothing may stay.
    }
    const keys = new Set(left.map(({ utterance_id: key }) => key));
    for (const { key } of before) if (!keys.has(key)) this.#drop(key);
    this.answers.oldest = 0;
    this.#takeNext(left);
    this.older.begin();
  }

  #drop(key) {
    clearTimeout(this.removing.get(key));
    this.removing.delete(key);
    this.feedback.takeBack(key);
    this.feedback.forget(key);
    this.answers.forget(key);
    this.stage.forget(key);
    this.#changed(key);
  }

  #connected(state, next_try_at, sentence) {
    if (state === "unpaired") {
      dropAll();
      location.replace("/pair");
      return;
    }
    this.stage.connected(state, next_try_at, sentence);
    this.#count();
  }

  // What is shown.

  #changed(key, then) {
    this.feed.change(key, then);
    if (this.search.feed.has(key)) this.search.feed.change(key);
  }

  /** Answers of the board's history; their keys. */
  #take(answers) {
    for (const { id, ...card } of answers) {
      if (this.answers.add(card, id)) this.#changed(card.utterance_id);
    }
    this.#count();
    return [...new Set(answers.map(({ utterance_id: key }) => key))];
  }

  /** Those that come right before what is known. */
  #takeNext(answers) {
    if (answers.length) this.answers.reaches(answers.at(-1).id);
    return this.#take(answers);
  }

  #card(key) {
    if (this.removing.has(key)) return this.#goneCard(key);
    return makeCard(this.answers.entries.get(key), this.who, this.feedback.of(key));
  }

  #count() {
    const n = this.answers.entries.size;
    const isOpen = this.stream.state === "open";
    if (document.body.classList.toggle("is-first", !n) !== this.wasFirst) this.stage.show();
    this.wasFirst = !n;
    byId("none").hidden = n > 0 || !isOpen;
    put(byId("kept-note"), n && this.stream.state === "lost" ? say("answers.kept", { n }) : "");
  }

  #readAloud({ kind, transcript, response, results, sentence }) {
    const says = response || results?.[0]?.title || sentence || "";
    const name = ["kept", "better"].includes(kind) && transcript ? kind : transcript ? "final" : "none";
    if (transcript || sentence) byId("live").textContent = say(`live.${name}`, { transcript, response: says, sentence });
  }

  #above(count) {
    this.unseen = (this.unseen ?? 0) + count;
    byId("new-words").textContent = say("answers.new", { n: this.unseen });
    byId("new").hidden = false;
  }

  #seenAll() {
    this.unseen = 0;
    byId("new").hidden = true;
  }

  #toTop() {
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    scrollTo({ top: 0, behavior: isCalm ? "instant" : "smooth" });
  }

  #notice(text) {
    put(byId("notice"), text);
    clearTimeout(this.noticeTimer);
    this.noticeTimer = setTimeout(() => put(byId("notice"), ""), NOTICE_MS);
  }

  // What the visitor does.

  async #do(name) {
    try {
      const answer = await post(`/do/${name}`);
      if (!answer.ok) this.#notice(await sentenceOf(answer));
    } catch {
      this.#notice(say("board.failed"));
    }
  }

  #clicked(event) {
    const button = event.target.closest("button[data-do]");
    const card = button?.closest(".card");
    if (!card) return;
    const key = card.dataset.utterance;
    const { do: name, choice, result } = button.dataset;
    const isTakenBack = button.getAttribute("aria-pressed") === "true";
    if (isTakenBack) this.feedback.give(key, NOTHING);
    else if (name === "right") this.feedback.give(key, { ...NOTHING, verdict: "right" });
    else if (name === "wrong") this.#wrong(key);
    else if (name === "said") this.#correct(key, card);
    else if (name === "delete") this.#remove(key);
    else if (name === "undo") this.#undo(key);
    else if (name === "choice") this.feedback.give(key, { ...NOTHING, choice: Number(choice), title: this.#choiceTitle(key, choice) });
    else if (name === "meant") this.feedback.give(key, { result_id: result, title: this.#resultTitle(key, result) });
  }

  #choiceTitle(key, choice) {
    return this.answers.entries.get(key).card.choices[choice].transcript;
  }

  #resultTitle(key, id) {
    return this.answers.entries.get(key).card.results.find((result) => result.id === id)?.title ?? id;
  }

  /** What is wrong may be put right at once. */
  #wrong(key) {
    this.feedback.give(key, { verdict: "wrong" });
    this.feed.flush();
    const card = this.feed.cards.get(key);
    if (card) this.#correct(key, card);
  }

  #correct(key, card) {
    let correction = card.querySelector(".correction");
    const end = () => {
      // The card may be another by now: a better answer takes the place of the first.
      const holder = correction.closest(".card");
      const button = holder.querySelector('[data-do="said"]');
      correction.remove();
      holder.classList.remove("is-correcting");
      button.setAttribute("aria-expanded", "false");
      button.focus({ preventScroll: true });
    };
    if (correction) {
      end();
      return;
    }
    const onSend = (transcript) => {
      end();
      this.feedback.give(key, { verdict: "wrong", transcript });
    };
    correction = makeCorrection(this.answers.entries.get(key).card, { onSend, onCancel: end });
    putCorrection(card, correction);
    correction.querySelector("textarea").focus();
  }

  #fed(key, change) {
    if (change?.refused) {
      this.removing.delete(key);
      this.#changed(key);
      this.#notice(say("given.refused", { sentence: change.refused }));
      return;
    }
    const given = this.feedback.of(key);
    for (const feed of [this.feed, this.search.feed]) {
      const card = feed.cards.get(key);
      if (card && given) showGiven(card, given, this.who);
    }
  }

  #remove(key) {
    this.feedback.remove(key);
    this.removing.set(key, setTimeout(() => this.#gone(key), UNDO_S * 1000));
    this.#changed(key);
    this.feed.flush();
    this.search.feed.flush();
    document.querySelector(`.is-gone[data-utterance="${CSS.escape(key)}"] button`)?.focus();
  }

  #undo(key) {
    clearTimeout(this.removing.get(key));
    this.removing.delete(key);
    this.feedback.takeBack(key);
    this.#changed(key);
    this.feed.flush();
    this.feed.cards.get(key)?.querySelector('[data-do="delete"]')?.focus({ preventScroll: true });
  }

  #gone(key) {
    this.removing.delete(key);
    this.answers.forget(key);
    this.feedback.forget(key);
    this.stage.forget(key);
    this.#changed(key);
    this.#count();
  }

  #goneCard(key) {
    return element(
      "article",
      { class: "card is-gone", "data-utterance": key },
      element("p", { class: "gone-words", role: "status", text: `${say("card.deleted")} ${say("card.deleting", { n: UNDO_S })}` }),
      element("button", { class: "button", type: "button", "data-do": "undo", text: say("card.undo") }),
    );
  }
}

/** What was said of it is shown in a card that stands, so that its buttons keep the focus. */
function showGiven(card, given, who) {
  for (const button of card.querySelectorAll('[data-do="right"], [data-do="wrong"]')) {
    button.setAttribute("aria-pressed", String(given.verdict === button.dataset.do));
  }
  for (const button of card.querySelectorAll('[data-do="meant"]')) {
    button.setAttribute("aria-pressed", String(given.result_id === button.dataset.result));
  }
  for (const button of card.querySelectorAll('[data-do="choice"]')) {
    button.setAttribute("aria-pressed", String(given.choice === Number(button.dataset.choice)));
  }
  const told = card.querySelector("[data-given]");
  if (told) put(told, givenInWords(given, who));
}

await loadWords();
fill(document);
byId("late").remove();
new Page().begin();
