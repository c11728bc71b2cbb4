// What went wrong, said without standing in the way: what happened, why, and what to do. Stays until dismissed.

import { byId, el } from "./lib/dom.js";
import { countdown } from "./lib/format.js";

const SHOWN_AT_ONCE = 3;

/** Says a thing to a screen reader that everyone else sees. */
export function announce(text) {
  byId("announcer").textContent = text;
}

/** Shows that `what` ("Could not start x") failed because of `problem`. */
export function showProblem(what, problem) {
  const box = byId("messages");
  const message = el("div", { class: "message", role: "alert" },
    el("div", {},
      el("p", { class: "message-title" }, what),
      el("p", {}, problem.message),
      el("p", { class: "message-remedy" }, remedy(problem))),
    el("button", { type: "button", class: "button quiet icon", "aria-label": "Dismiss this message", onclick: () => message.remove() }, "×"));
  for (const same of [...box.children].filter((other) => other.dataset.what === what)) same.remove();
  message.dataset.what = what;
  box.append(message);
  while (box.children.length > SHOWN_AT_ONCE) box.firstElementChild.remove();
}

function remedy({ status, retryAfter }) {
  switch (status) {
    case 0: return "See whether the runner still runs; this page reconnects by itself. Then try again.";
    case 404: return "The files may have changed. The list is read anew when you reload the page.";
    case 409: return "Stop what it conflicts with, or wait for that to end.";
    case 422: return "Correct the value or the file, then try again.";
    case 423: return "Press Re-arm at the top of the page.";
    case 429: return `Wait${retryAfter ? ` ${countdown(retryAfter)}` : ""}, stop a running experiment, or reset the cooldown at the top.`;
    case 503: return "The runner is starting or ending. Try again in a moment.";
    default: return status >= 500 ? "The runner's log has the cause." : "Reload the page and try again.";
  }
}
