/** The place in a card where what was said is put right. */

import { element } from "./element.js";
import { say } from "./words.js";

/** `onSend(transcript)`, `onCancel()`. What was heard else is offered, one tap each. */
export function makeCorrection({ utterance_id: key, transcript, alternatives, results }, { onSend, onCancel }) {
  const field = element("textarea", {
    class: "correction-field",
    id: `said-${key}`,
    rows: "2",
    maxlength: "500",
    dir: "auto",
    autocomplete: "off",
    enterkeyhint: "send",
  });
  field.value = transcript ?? "";
  const send = () => (field.value.trim() ? onSend(field.value.trim()) : field.focus());
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === "Escape") onCancel();
  });
  const heard = [...new Set((alternatives ?? []).map((other) => other.transcript))].filter(Boolean);
  const others = heard.map((text) =>
    element("button", {
      class: "heard",
      type: "button",
      dir: "auto",
      text,
      onclick: () => {
        field.value = text;
        field.focus();
      },
    }),
  );
  return element(
    "div",
    { class: "correction" },
    element("label", { for: field.id, text: say("correction.label") }),
    field,
    others.length ? element("p", { class: "heard-list" }, element("span", { text: say("correction.heard") }), ...others) : null,
    results?.length > 1 ? element("p", { class: "correction-hint", text: say("correction.pick") }) : null,
    element(
      "div",
      { class: "correction-buttons" },
      element("button", { class: "button is-main", type: "button", onclick: send, text: say("correction.send") }),
      element("button", { class: "button", type: "button", onclick: onCancel, text: say("correction.cancel") }),
    ),
  );
}

export function putCorrection(card, correction) {
  card.classList.add("is-correcting");
  card.querySelector('[data-do="said"]').setAttribute("aria-expanded", "true");
  card.querySelector(".card-foot").before(correction);
}
