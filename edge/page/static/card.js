/** One answer as an element. It is made whole from an entry; what a visitor does with it is told by its buttons. */

import { element, icon } from "./element.js";
import { clock } from "./moments.js";
import { known, say } from "./words.js";

/** Of `entry` ({card, was, done}); `who` is {board, phone}; `given` what this phone has said of it, or null. */
export function makeCard(entry, who, given) {
  const { card } = entry;
  const node = element("article", { class: card.board ? "card is-others" : "card", "data-utterance": entry.key, "data-kind": card.kind });
  node.append(...head(entry, who), ...answered(entry, who));
  // What another ear had heard before has been answered there.
  if (!card.twin_of) node.append(...choices(card, given), ...slots(card), ...results(card, given), ...alternatives(card));
  // What is wrong of another board's answer is said there.
  if (!card.board) node.append(...foot(card, who, given));
  return node;
}

function head({ card }, who) {
  const { kind, path, twin_of: twin } = card;
  const told = [clock(card.spoken_at_unix_ms), card.board ? boardName(card.board) : speaker(card.by, who)];
  if (path && path !== "none") told.push(say(`card.path.${path}`));
  const line = element("p", { class: "card-head" });
  line.append(element("span", { class: "card-told", dir: "auto", text: told.filter(Boolean).join(" · ") }));
  const mark = twin ? "twin" : kind;
  if (known(`card.kind.${mark}`)) {
    line.append(element("span", { class: "mark", "data-kind": mark, text: say(`card.kind.${mark}`) }));
  }
  return [line];
}

function speaker(by, { board, phone }) {
  if (!by) return null;
  if (by === "board") return board;
  return say(by === phone ? "card.by.phone" : "card.by.other");
}

/** Another board, or a phone that is one. */
function boardName(board) {
  const [, machine] = board.match(/^(.*)\.phone-/) ?? [];
  return machine ? say("card.by.visitor", { board: asName(machine) }) : asName(board);
}

/** A board's name in a sentence: "kitchen" is Kitchen, "living-room-2" stays as it is. */
export function asName(board) {
  return /^\p{Ll}+$/u.test(board) ? board[0].toLocaleUpperCase() + board.slice(1) : board;
}

/** Why an answer is not this one's to act on: who was answered first, and who heard it best. */
function twinWords(card, who) {
  if (card.board) return say(card.heard_best === card.board ? "card.twin.other.best" : "card.twin.other", { board: boardName(card.board) });
  if (card.twin_board) {
    const best = card.heard_best === card.by ? speaker(card.by, who) : boardName(card.heard_best);
    return say("card.twin.board", { board: boardName(card.twin_board), best });
  }
  const best = speaker(card.heard_best, who) ?? "";
  return say(best ? "card.twin.best" : "card.twin", { best });
}

/** What was said, what is answered, and why nothing or nothing better is. */
function answered({ card, was, done }, who) {
  const made = [];
  if (card.kind === "done") return [element("p", { class: "done", dir: "auto", text: done })];
  const silent = !card.transcript;
  // What waits to be sent was not understood by anybody yet: it has only its sentence.
  if (!silent || !known(`card.why.${card.kind}`)) {
    made.push(element("h4", { class: silent ? "said is-silent" : "said", dir: "auto", text: card.transcript || say("card.nothing") }));
  }
  if (was) made.push(element("p", { class: "was", dir: "auto", text: say("card.was", { transcript: was }) }));
  if (card.twin_of) {
    made.push(element("p", { class: "why", dir: "auto", text: twinWords(card, who) }));
    return made;
  }
  if (card.response) made.push(element("p", { class: "response", dir: "auto", text: card.response }));
  if (done && done !== card.response) made.push(element("p", { class: "done", dir: "auto", text: done }));
  const why = card.sentence || (known(`card.why.${card.kind}`) ? say(`card.why.${card.kind}`) : "");
  if (why) made.push(element("p", { class: "why", "data-kind": card.kind, dir: "auto", text: why }));
  return made;
}

function choices({ choices: found, utterance_id: key, board }, given) {
  if (!found?.length) return [];
  const question = element("p", { class: "choices-title", id: `choices-${key}`, text: say("card.choices") });
  const buttons = found.map((choice, i) =>
    board
      ? element("p", { class: "choice-said", dir: "auto", text: choice.transcript })
      : element(
          "button",
          { class: "choice", type: "button", "data-do": "choice", "data-choice": i, "aria-pressed": String(given?.choice === i) },
          element("span", { class: "choice-said", dir: "auto", text: choice.transcript }),
        ),
  );
  return [element("div", { class: "choices", role: "group", "aria-labelledby": `choices-${key}` }, question, ...buttons)];
}

function slots({ intent, slots: found }) {
  if (!intent) return [];
  const made = [element("span", { class: "intent", text: inWords(intent) })];
  for (const [name, value] of Object.entries(found ?? {})) {
    made.push(element("span", { class: "slot" }, element("span", { class: "slot-name", text: inWords(name) }), " ", element("bdi", { text: value })));
  }
  return [element("p", { class: "slots", dir: "auto" }, ...made)];
}

function results({ results: found, board }, given) {
  if (!found?.length) return [];
  return [element("ol", { class: "results" }, ...found.map((result) => resultRow(result, board ? null : pick(result, given))))];
}

function resultRow(result, button) {
  const address = webAddress(result.url);
  const title = result.title || result.id;
  const name = address
    ? element("a", { class: "result-title", href: address.href, target: "_blank", rel: "noopener noreferrer", dir: "auto", text: title })
    : element("span", { class: "result-title", dir: "auto", text: title });
  const told = [result.action && actionInWords(result.action), address && say("card.leads", { host: address.host })];
  return element(
    "li",
    { class: "result" },
    element(
      "div",
      { class: "result-body" },
      name,
      result.snippet ? element("p", { class: "result-text", dir: "auto", text: result.snippet }) : null,
      told.some(Boolean) ? element("p", { class: "result-told", dir: "auto", text: told.filter(Boolean).join(" · ") }) : null,
    ),
    button,
  );
}

function pick(result, given) {
  return element(
    "button",
    {
      class: "pick",
      type: "button",
      "data-do": "meant",
      "data-result": result.id,
      "aria-pressed": String(given?.result_id === result.id),
      "aria-label": say("card.meant.title", { title: result.title || result.id }),
    },
    element("span", { class: "pick-words", text: say("card.meant") }),
    icon("tick"),
  );
}

/** A link's address, where it is one of the web: anything else, such as "javascript:", is no link. */
export function webAddress(url) {
  if (!url) return null;
  try {
    const address = new URL(url);
    return ["http:", "https:"].includes(address.protocol) ? address : null;
  } catch {
    return null;
  }
}

function actionInWords(action) {
  return known(`action.${action}`) ? say(`action.${action}`) : inWords(action);
}

const inWords = (name) => name.replace(/[._]+/g, " ");

function alternatives({ alternatives: found }) {
  if (!found?.length) return [];
  const list = found.map(({ transcript }) => element("li", { dir: "auto", text: transcript }));
  return [
    element(
      "details",
      { class: "alternatives" },
      element("summary", { text: say("card.alternatives", { n: found.length }) }),
      element("ul", {}, ...list),
    ),
  ];
}

function foot({ transcript, results: found }, who, given) {
  const verdict = (name, sign) =>
    element(
      "button",
      { class: "foot-button", type: "button", "data-do": name, "aria-pressed": String(given?.verdict === name) },
      icon(sign),
      say(`card.${name}`),
    );
  const answered = transcript || found?.length;
  return [
    element(
      "div",
      { class: "card-foot", role: "group", "aria-label": say("card.feedback") },
      answered ? verdict("right", "tick") : null,
      answered ? verdict("wrong", "cross") : null,
      element("button", { class: "foot-button", type: "button", "data-do": "said", "aria-expanded": "false" }, icon("pen"), say("card.said")),
      element("button", { class: "foot-button is-end", type: "button", "data-do": "delete", "aria-label": say("card.delete") }, icon("bin")),
    ),
    element("p", { class: "given", "data-given": "", dir: "auto", hidden: !given, text: given ? givenInWords(given, who) : "" }),
  ];
}

/** What this phone has said of an answer, and whether the board has it. */
export function givenInWords(given, { board }) {
  const isNothing = ["verdict", "transcript", "result_id", "choice"].every((name) => (given[name] ?? null) === null);
  if (isNothing) return say("given.nothing");
  const told = [];
  if (given.refused) return say("given.refused", { sentence: given.refused });
  if (given.transcript) told.push(say("given.transcript", { transcript: given.transcript }));
  else if (given.title) told.push(say("given.result", { title: given.title }));
  else if (given.verdict) told.push(say(`given.${given.verdict}`));
  told.push(given.sent ? say("given.sent", { board }) : say("given.kept"));
  return told.join(" ");
}
