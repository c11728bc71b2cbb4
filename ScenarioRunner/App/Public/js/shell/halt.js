// The kill switch: it removes every fault, and nothing starts until somebody re-arms the runner. In reach from
// everywhere, also by the key h.

import * as api from "../api.js";
import { byId, setHidden, setText } from "../lib/dom.js";
import { announce, showProblem } from "../messages.js";

const HALTING = "Every fault is being removed, and nothing starts until you re-arm.";
const HALTED = "Every fault is gone, and nothing starts until you re-arm.";

export function mountHalt(store) {
  const [halt, rearm, banner, text, dialog] = ["halt", "rearm", "halted", "halted-text", "halt-dialog"].map(byId);

  function show() {
    const halted = store.halted === true;
    banner.hidden = !halted;
    document.body.toggleAttribute("data-halted", halted);
    setHidden(halt, halted, rearm);
    setText(text, store.activeRuns.length > 0 ? HALTING : HALTED);
  }

  function ask() {
    if (store.halted || dialog.open) return;
    dialog.returnValue = "";
    dialog.showModal();
  }

  dialog.onclose = async () => {
    if (dialog.returnValue !== "halt") return;
    try {
      const answer = await api.post("/api/halt");
      store.setHalted(true);
      setText(text, answer.remaining.length > 0 ? answer.message : HALTED);
      announce(answer.message);
    } catch (problem) {
      showProblem("Could not halt", problem);
    }
  };
  halt.onclick = ask;
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest?.("input:not([type=checkbox], [type=radio], [type=range]), select, textarea");
    if (event.key !== "h" || isTyping || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    ask();
  });

  rearm.onclick = async () => {
    try {
      await api.post("/api/rearm");
      setHidden(rearm, false);
      store.setHalted(false);
      halt.focus();
      announce("Re-armed: experiments can start.");
    } catch (problem) {
      showProblem("Could not re-arm", problem);
    }
  };

  store.watch("halted", show);
  store.watch("runs", show);
  return {};
}
