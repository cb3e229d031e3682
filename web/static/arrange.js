// Rows of a dossier are dragged, or moved by Alt and an arrow key; places are written into the form. Without this they are typed.
"use strict";
(() => {
  const form = document.querySelector("form[data-arranging]");
  if (!form) return;
  const table = form.querySelector("table");
  const told = form.querySelector("[data-told]");
  const keep = form.querySelector("[data-keep]");
  const rows = () => [...table.querySelectorAll("tr[data-item]")];
  const place = (row) => row.querySelector("td.place input");
  const first = Math.min(...rows().map((row) => Number(place(row).name.split("-").pop())));
  const title = (row) => row.querySelector("td.wide a").textContent.trim();
  let dragged = null;

  function number() {
    rows().forEach((row, at) => { place(row).value = first + at; });
  }

  function say(row) {
    number();
    row.classList.add("moved");
    keep.classList.add("waits");
    told.textContent = `${form.dataset.moved.replace("{}", title(row)).replace("{}", place(row).value)} · ${form.dataset.changed}`;
  }

  function lay(row, other, behind) {
    if (row === other) return;
    if (behind) other.after(row);
    else other.before(row);
  }

  form.addEventListener("keydown", (event) => {
    const row = event.target.closest("tr[data-item]");
    if (!row || !event.altKey || event.ctrlKey || event.metaKey) return;
    const all = rows();
    const at = all.indexOf(row);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (to < 0 || to >= all.length || to === at) return;
    const held = document.activeElement;
    lay(row, all[to], to > at);
    held.focus();
    say(row);
    row.scrollIntoView({ block: "nearest" });
  });

  for (const row of rows()) {
    const handle = row.querySelector(".handle");
    handle.addEventListener("pointerdown", () => { row.draggable = true; });
    row.addEventListener("dragstart", (event) => {
      dragged = row;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", title(row));
      row.classList.add("dragged");
    });
    row.addEventListener("dragover", (event) => {
      if (!dragged) return;
      event.preventDefault();
      const box = row.getBoundingClientRect();
      lay(dragged, row, event.clientY > box.top + box.height / 2);
    });
    row.addEventListener("drop", (event) => event.preventDefault());
    row.addEventListener("dragend", () => {
      row.draggable = false;
      row.classList.remove("dragged");
      if (dragged) say(row);
      dragged = null;
    });
  }
  if (keep.dataset.waiting !== undefined) keep.classList.add("waits");
})();
