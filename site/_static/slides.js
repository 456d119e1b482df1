// Slides of a lesson: formulas are drawn and wide contents made to fit when a slide is first shown. S opens the speaker's notes.
"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");
const theme = () => { document.documentElement.dataset.theme = dark.matches ? "dark" : "light"; };
dark.addEventListener("change", theme);
theme();

window.MathJax = {
  tex: { inlineMath: [["$", "$"], ["\\(", "\\)"]] },
  options: { enableMenu: false },
  svg: { fontCache: "local" },
  startup: { typeset: false },
};

const SMALLEST = 0.6; // of the size as written; what is larger still scrolls
function fit(slide) {
  const tall = () => slide.scrollHeight > slide.clientHeight + 1;
  for (let k = 1; (tall() || slide.scrollWidth > slide.clientWidth + 1) && k > SMALLEST; ) {
    k -= 0.05;
    for (const part of slide.children) part.style.zoom = k;
  }
  if (tall()) slide.tabIndex = 0; // for the arrow keys once it has the focus
}

const shown = new Set();
async function show(slide) {
  if (!slide) return;
  document.querySelectorAll(".slides section").forEach((other) => { other.inert = !other.contains(slide); }); // Tab stays on this one
  if (shown.has(slide)) return;
  shown.add(slide);
  await MathJax.startup.promise;
  await MathJax.typesetPromise([slide]);
  slide.querySelectorAll("img").forEach((img) => { img.loading = "eager"; });
  await Promise.all([...slide.querySelectorAll("img")].map((img) => img.decode().catch(() => {})));
  fit(slide);
  slide.dataset.ready = "";
}

addEventListener("DOMContentLoaded", async () => {
  const deck = new Reveal({ plugins: [RevealNotes], width: 1280, height: 720, margin: 0.03, center: false, hash: true, slideNumber: "c/t", transition: "none" });
  window.deck = deck;
  deck.on("slidechanged", ({ previousSlide, currentSlide }) => {
    previousSlide?.querySelectorAll("audio").forEach((audio) => audio.pause());
    show(currentSlide);
  });
  await deck.initialize();
  if (/print-pdf/i.test(location.search)) {
    for (const slide of deck.getSlides()) await show(slide);
  } else {
    show(deck.getCurrentSlide());
  }
});
