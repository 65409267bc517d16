/** The page of a phone that is not paired: by the picture's token, which stands behind the # of the address, or by a code. */

import { byId, put } from "./element.js";
import { fill, loadWords, say } from "./words.js";

const CODE_CHARACTERS = 8;
const TIMEOUT_MS = 15_000;

await loadWords();
fill(document);
byId("late").remove();
document.title = say("pair.title");

const field = byId("code");
const token = decodeURIComponent(location.hash.slice(1));
// In no history and on no picture of the screen: it is worth a key until it is used.
if (token) history.replaceState(null, "", location.pathname);

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const code = characters();
  if (code.length !== CODE_CHARACTERS) {
    tell("pair.short");
    field.setAttribute("aria-invalid", "true");
    field.focus();
    return;
  }
  pair({ code: grouped(code) }, "pair.refused");
});
field.addEventListener("input", () => {
  field.removeAttribute("aria-invalid");
  if (field.selectionStart === field.value.length) field.value = grouped(characters());
});
if (token) pair({ token }, "pair.refused.token");

function characters() {
  return field.value.toUpperCase().replace(/[^A-Z0-9]/g, "").slice(0, CODE_CHARACTERS);
}

function grouped(code) {
  return code.length > 4 ? `${code.slice(0, 4)}-${code.slice(4)}` : code;
}

async function pair(proof, refused) {
  busy(true);
  put(byId("problem"), "");
  try {
    const answer = await fetch("/pair", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...proof, name: byId("name").value.trim() }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (answer.ok) await paired();
    else if (answer.status === 429) limited(Number(answer.headers.get("Retry-After")) || 60);
    else if (answer.status === 403) tell(refused);
    else tell(null, (await answer.json()).sentence);
  } catch {
    tell("pair.away");
  }
  if (!byId("send").dataset.until) busy(false);
}

/** Whether the cookie has come to stay, before the page is changed for one that would send the visitor back here. */
async function paired() {
  const answer = await fetch("/answers?limit=1", { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (answer.status === 401 || answer.status === 403) {
    tell("pair.cookies");
    return;
  }
  tell("pair.done");
  byId("problem").classList.add("is-calm");
  location.replace("/");
}

/** Too many tries: the time left is counted, and then the button works again. */
function limited(seconds) {
  const button = byId("send");
  button.dataset.until = Date.now() + seconds * 1000;
  button.disabled = true;
  const tick = () => {
    const n = Math.ceil((button.dataset.until - Date.now()) / 1000);
    if (n > 0) {
      button.textContent = say("pair.send");
      byId("problem").hidden = false;
      byId("problem").textContent = say("pair.limited", { n });
      return;
    }
    clearInterval(timer);
    delete button.dataset.until;
    tell("pair.limited.over");
    byId("problem").classList.add("is-calm");
    busy(false);
  };
  const timer = setInterval(tick, 1000);
  tick();
}

function tell(key, sentence = null) {
  byId("problem").classList.remove("is-calm");
  put(byId("problem"), sentence ?? say(key));
}

function busy(isBusy) {
  byId("send").disabled = isBusy;
  byId("send").textContent = say(isBusy ? "pair.busy" : "pair.send");
}
