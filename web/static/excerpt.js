// Black parts drawn over a page with the pointer; each is a row of numbers, which can be typed instead.
"use strict";
const SVG = "http://www.w3.org/2000/svg";

function shown(section) {
  const svg = section.querySelector("[data-masks]");
  svg.replaceChildren();
  for (const row of section.querySelectorAll("[data-rows] tr")) {
    const [x, y, width, height] = [...row.querySelectorAll("input")].map((input) => parseFloat(input.value));
    if (!(width > 0 && height > 0) || Number.isNaN(x + y)) continue;
    const rect = document.createElementNS(SVG, "rect");
    for (const [name, value] of Object.entries({ x, y, width, height })) rect.setAttribute(name, value);
    rect.addEventListener("click", () => {
      for (const input of row.querySelectorAll("input")) input.value = "";
      shown(section);
    });
    svg.append(rect);
  }
}

function freeRow(section) {
  const rows = [...section.querySelectorAll("[data-rows] tr")];
  const free = rows.find((row) => [...row.querySelectorAll("input")].every((input) => !input.value));
  if (free) return free;
  const row = rows.at(-1).cloneNode(true);
  for (const input of row.querySelectorAll("input")) input.value = "";
  rows.at(-1).after(row);
  return row;
}

function place(svg, event) {
  const box = svg.getBoundingClientRect();
  const part = (value) => Math.min(100, Math.max(0, value * 100));
  return [part((event.clientX - box.left) / box.width), part((event.clientY - box.top) / box.height)];
}

for (const section of document.querySelectorAll(".masking")) {
  const svg = section.querySelector("[data-masks]");
  section.querySelector("[data-drawing]").hidden = false;
  svg.classList.add("drawing");
  let begun = null;
  let drawn = null;
  svg.addEventListener("pointerdown", (event) => {
    if (event.target !== svg || event.button) return;
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
    begun = place(svg, event);
    drawn = document.createElementNS(SVG, "rect");
    svg.append(drawn);
  });
  const span = (event) => {
    const [x, y] = place(svg, event);
    return [Math.min(x, begun[0]), Math.min(y, begun[1]), Math.abs(x - begun[0]), Math.abs(y - begun[1])];
  };
  svg.addEventListener("pointermove", (event) => {
    if (!begun) return;
    ["x", "y", "width", "height"].forEach((name, at) => drawn.setAttribute(name, span(event)[at]));
  });
  svg.addEventListener("pointerup", (event) => {
    if (!begun) return;
    const sides = span(event);
    begun = null;
    if (sides[2] > 0.3 && sides[3] > 0.3) {
      const inputs = freeRow(section).querySelectorAll("input");
      sides.forEach((value, at) => { inputs[at].value = (at < 2 ? Math.floor(value * 100) : Math.ceil(value * 100)) / 100; });
    }
    shown(section);
  });
  svg.addEventListener("pointercancel", () => { begun = null; shown(section); });
  section.addEventListener("input", () => shown(section));
}
