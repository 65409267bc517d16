/** What is seldom wanted: deleting everything, ending the pairing. What cannot be undone asks once more, in its place. */

import { byId, element, put } from "./element.js";
import { dropAll } from "./kept.js";
import { post, sentenceOf } from "./outbox.js";
import { say } from "./words.js";

export class Menu {
  constructor({ onBudget, budgetShown }) {
    this.dialog = byId("menu");
    this.onBudget = onBudget;
    this.budgetShown = budgetShown;
    this.hello = { board: "", version: "", phone: "" };
    byId("menu-button").addEventListener("click", () => this.open());
    byId("menu-close").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
  }

  open() {
    byId("menu-title").textContent = say("menu.title", this.hello);
    put(byId("menu-version"), this.hello.version && say("menu.version", this.hello));
    byId("menu-items").replaceChildren(this.#budget(), this.#risky("forget", forgetAll), this.#risky("unpair", unpair));
    this.dialog.showModal();
  }

  #budget() {
    const words = say(this.budgetShown() ? "menu.debug.off" : "menu.debug");
    const act = () => {
      this.onBudget();
      this.dialog.close();
    };
    return element("div", { class: "menu-item" }, element("button", { class: "button", type: "button", text: words, onclick: act }));
  }

  #risky(name, act) {
    const note = element("p", { class: "note", role: "status", text: say(`menu.${name}.why`, this.hello) });
    const first = element("button", { class: "button is-risky", type: "button", text: say(`menu.${name}`) });
    const sure = element("button", { class: "button is-risky", type: "button", text: say(`menu.${name}.sure`), hidden: true });
    const no = element("button", { class: "button", type: "button", text: say("menu.no"), hidden: true });
    const ask = (isAsking) => {
      first.hidden = isAsking;
      sure.hidden = no.hidden = !isAsking;
      (isAsking ? no : first).focus();
    };
    first.addEventListener("click", () => ask(true));
    no.addEventListener("click", () => ask(false));
    sure.addEventListener("click", async () => {
      sure.disabled = true;
      note.textContent = await act();
      sure.disabled = false;
      ask(false);
    });
    return element("div", { class: "menu-item" }, note, element("div", { class: "menu-buttons" }, first, no, sure));
  }
}

/** Both give back what is to be told. */
async function forgetAll() {
  try {
    const answer = await post("/forget", { everything: true });
    return answer.ok ? say("menu.forget.done", { n: (await answer.json()).here ?? 0 }) : await sentenceOf(answer);
  } catch {
    return say("menu.failed");
  }
}

async function unpair() {
  try {
    const answer = await post("/unpair");
    if (!answer.ok) return await sentenceOf(answer);
  } catch {
    return say("menu.failed");
  }
  dropAll();
  location.replace("/");
  return "";
}
