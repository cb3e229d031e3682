// The frame's conveniences. Everything works without them: keys, the narrow rail, lists by keyboard, numbers copied on click.
"use strict";

const typing = (target) => target.closest("input, select, textarea, [contenteditable]") !== null;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    document.querySelectorAll(".me[open], .rail-more[open]").forEach((each) => each.removeAttribute("open"));
    return;
  }
  if (typing(event.target)) return;
  const wanted = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (wanted) {
    event.preventDefault();
    if (wanted.matches("a, button")) wanted.click();
    else wanted.focus();
    return;
  }
  moveInList(event);
});

// Rows of a list marked data-list: up and down move, Enter opens, x chooses.
function moveInList(event) {
  const rows = [...document.querySelectorAll("table[data-list] tbody tr, ol[data-list] > li, ul[data-list] > li")];
  if (!rows.length || !["ArrowDown", "ArrowUp", "x"].includes(event.key)) return;
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  if (event.key === "x") {
    if (at >= 0) rows[at].querySelector("input[type=checkbox]")?.click();
    return;
  }
  event.preventDefault();
  const next = Math.min(rows.length - 1, Math.max(0, at + (event.key === "ArrowDown" ? 1 : -1)));
  rows[next].querySelector("a")?.focus();
}

const rail = document.querySelector(".rail-fold");
if (rail) {
  const fold = (folded) => {
    document.body.classList.toggle("folded", folded);
    rail.setAttribute("aria-pressed", String(folded));
  };
  rail.hidden = false;
  fold(localStorage.getItem("rail") === "folded");
  rail.addEventListener("click", () => {
    const folded = !document.body.classList.contains("folded");
    localStorage.setItem("rail", folded ? "folded" : "open");
    fold(folded);
  });
}

// Which groups of the rail are open is remembered where the server sees it, so that no page jumps.
for (const group of document.querySelectorAll(".rail details[data-code]")) {
  group.addEventListener("toggle", () => {
    const open = [...document.querySelectorAll(".rail details[data-code][open]")].map((each) => each.dataset.code);
    document.cookie = `juanku_rail=${open.join(".")}; path=/; max-age=31536000; samesite=lax`;
  });
}

// What this browser keeps goes with who signs out; scans of a stock-taking that were not sent yet stay for them.
document.querySelector("form[action$='/sign-out']")?.addEventListener("submit", () => {
  for (const key of Object.keys(localStorage)) if (!key.startsWith("juanku-stock:")) localStorage.removeItem(key);
});

document.querySelector(".rail a[aria-current]")?.scrollIntoView({ block: "nearest" });

document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll(".me[open], .rail-more[open]")) {
    if (!open.contains(event.target)) open.removeAttribute("open");
  }
});

// What is wider than the screen scrolls by keys too, where nothing in it can be reached by Tab.
for (const each of document.querySelectorAll(".scroll, .pointed, pre")) {
  if (each.scrollWidth > each.clientWidth && !each.querySelector("a, button, input, select, summary")) each.tabIndex = 0;
}

// A list's bar of acts shows how many rows are chosen; the box in the head chooses all that are shown.
for (const form of document.querySelectorAll("form[data-choosing]")) {
  const boxes = () => [...form.querySelectorAll("input[type=checkbox]:not([data-all])")];
  const all = form.querySelector("[data-all]");
  const acts = form.querySelectorAll(".bulk button");
  const told = form.querySelector("[data-chosen]");
  const tell = () => {
    const chosen = boxes().filter((box) => box.checked).length;
    if (told) told.textContent = chosen ? told.dataset.chosen.replace("{}", chosen) : told.dataset.none;
    acts.forEach((act) => { act.disabled = !chosen; });
    form.classList.toggle("none-chosen", !chosen);
    if (all) {
      all.checked = chosen > 0 && chosen === boxes().length;
      all.indeterminate = chosen > 0 && chosen < boxes().length;
    }
  };
  if (all) {
    all.hidden = false;
    all.closest("label")?.removeAttribute("hidden");
    all.addEventListener("change", () => {
      boxes().forEach((box) => { box.checked = all.checked; });
      tell();
    });
  }
  form.addEventListener("change", tell);
  tell();
}

// A dangerous act is asked about in a dialog; without script the server asks on a page of its own.
for (const form of document.querySelectorAll("form[data-sure]")) {
  const words = form.dataset;
  form.addEventListener("submit", (event) => {
    if (form.elements.sure) return;
    event.preventDefault();
    const button = event.submitter || form.querySelector("button");
    const dialog = document.createElement("dialog");
    const make = (name, more) => Object.assign(document.createElement(name), more);
    const told = make("p", { textContent: words.sure, id: "sure-words" });
    const goes = make("button", { type: "button", className: "danger", textContent: button.textContent });
    const stays = make("button", { type: "button", textContent: words.cancel });
    const acts = make("p", { className: "acts" });
    acts.append(goes, stays);
    dialog.setAttribute("aria-labelledby", "sure-words");
    dialog.append(told, acts);
    document.body.append(dialog);
    goes.addEventListener("click", () => {
      form.append(make("input", { type: "hidden", name: "sure", value: "1" }));
      form.requestSubmit();
    });
    stays.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
    stays.focus();
  });
}

// A field of a day says how what was typed is read, and lends the browser's calendar to who would rather choose.
for (const field of document.querySelectorAll("input[data-day]")) {
  const make = (name, more) => Object.assign(document.createElement(name), more);
  const around = make("span", { className: "dated" });
  const pick = make("button", { type: "button", className: "quiet pick", title: field.dataset.pick });
  const days = make("input", { type: "date", tabIndex: -1 });
  const told = make("span", { className: "help read-as" });
  pick.setAttribute("aria-label", field.dataset.pick);
  days.setAttribute("aria-hidden", "true");
  told.setAttribute("role", "status");
  field.before(around);
  around.append(field, days, pick, told);
  pick.addEventListener("click", () => {
    days.value = /^\d{4}-\d\d-\d\d$/.test(field.value) ? field.value : "";
    days.showPicker();
  });
  days.addEventListener("change", () => {
    if (!days.value) return;
    field.value = days.value;
    field.dispatchEvent(new Event("change", { bubbles: true }));
    field.focus();
  });
  field.addEventListener("change", async () => {
    const typed = field.value.trim();
    told.textContent = "";
    if (!typed || /^\d{4}-\d\d-\d\d$/.test(typed)) return;
    const reply = await fetch(`${field.dataset.day}&text=${encodeURIComponent(typed)}`).catch(() => null);
    if (!reply?.ok || typed !== field.value.trim()) return;
    const { words, good } = await reply.json();
    told.textContent = words;
    told.classList.toggle("fault", !good);
  });
}

// What is shown once is copied whole by a button, where the browser lets pages copy (on this machine or by TLS).
for (const button of document.querySelectorAll("button[data-copies]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
    button.textContent = button.dataset.done;
  });
}
