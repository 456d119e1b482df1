// Sliders with precomputed stops, the listening test, and keyboard access to what scrolls. Nothing is stored or sent.
"use strict";

function setUpSlider(box) {
  const range = box.querySelector("input");
  const output = box.querySelector("output");
  const stops = [...box.querySelectorAll(".stop")];
  const show = () => {
    stops.forEach((stop, i) => {
      stop.hidden = i !== Number(range.value);
      if (stop.hidden) stop.querySelectorAll("audio").forEach((audio) => audio.pause());
    });
    const value = stops[range.value].dataset.value;
    output.textContent = value;
    range.setAttribute("aria-valuetext", value);
  };
  range.addEventListener("input", show);
  show();
}

// Each in turn changes places with one that is not yet fixed: every order is equally likely.
function shuffled(list) {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}

// Wilson's interval of a share: right of n, at 95 per cent.
function wilson(right, n) {
  const z = 1.959963984540054;
  const p = right / n;
  const middle = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const reach = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return [Math.max(0, middle - reach), Math.min(1, middle + reach)];
}

const percent = (share) => `${Math.round(100 * share)}%`;

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  return made;
}

function setUpQuiz(box) {
  const all = JSON.parse(document.getElementById("rounds").textContent);
  let rounds, answers;

  function begin() {
    rounds = shuffled(all)
      .slice(0, Number(box.dataset.rounds))
      .map((round) => ({ ...round, bachFirst: Math.random() < 0.5 }));
    answers = [];
    ask();
  }

  function heading(text) {
    const title = element("h2", text, { tabindex: "-1" });
    box.replaceChildren(title);
    title.focus();
  }

  function players(round) {
    const pair = element("div", "", { class: "quiz-pair" });
    const files = round.bachFirst ? [round.bach, round.model] : [round.model, round.bach];
    ["A", "B"].forEach((name, i) => {
      const place = element("div", "");
      const audio = element("audio", "", { controls: "", preload: "none", src: files[i], "aria-label": `Piece ${name}` });
      audio.addEventListener("play", () =>
        box.querySelectorAll("audio").forEach((other) => other !== audio && other.pause()));
      place.append(element("p", `Piece ${name}`), audio);
      pair.append(place);
    });
    return pair;
  }

  function ask() {
    const round = rounds[answers.length];
    heading(`Round ${answers.length + 1} of ${rounds.length}: which one is Bach?`);
    const pair = players(round);
    ["A", "B"].forEach((name, i) => {
      const button = element("button", `${name} is Bach`, { type: "button" });
      button.addEventListener("click", () => {
        answers.push((i === 0) === round.bachFirst);
        if (answers.length < rounds.length) ask();
        else tell();
      });
      pair.children[i].append(button);
    });
    box.append(pair);
  }

  function tell() {
    const n = answers.length;
    const right = answers.filter(Boolean).length;
    const [low, high] = wilson(right, n);
    heading(`You found Bach ${right} times out of ${n}`);
    const between = `from ${percent(low)} to ${percent(high)}`;
    const verdict = low > 0.5 ? "The interval lies above the chance line: you can tell them apart."
      : high < 0.5 ? "The interval lies below the chance line: you do hear a difference, and take the models for Bach."
      : "The chance line of 50% lies inside: so few rounds don't show whether you can tell them apart.";
    const summary = element("p", `That is ${percent(right / n)}, with a 95% interval (Wilson) ${between}. ${verdict}`);
    summary.className = "quiz-summary";
    box.append(summary, drawing(right / n, low, high, between), listOfRounds());
    const again = element("button", "Once more", { type: "button" });
    again.addEventListener("click", begin);
    box.append(again);
  }

  function drawing(share, low, high, between) {
    const x = (value) => 12 + 276 * value;
    const words = `Your share of right answers, ${percent(share)}, its interval ${between}, and the chance line at 50%`;
    const holder = element("div", "");
    holder.innerHTML = `<svg viewBox="0 0 300 92" role="img" aria-label="${words}">
      <line x1="${x(0)}" y1="62" x2="${x(1)}" y2="62"/>
      <line class="chance" x1="${x(0.5)}" y1="22" x2="${x(0.5)}" y2="70"/>
      <text x="${x(0.5)}" y="14" text-anchor="middle">chance</text>
      <line x1="${x(low)}" y1="42" x2="${x(high)}" y2="42"/>
      <line x1="${x(low)}" y1="35" x2="${x(low)}" y2="49"/><line x1="${x(high)}" y1="35" x2="${x(high)}" y2="49"/>
      <circle cx="${x(share)}" cy="42" r="6"/>
      <text x="${x(0)}" y="86">0%</text><text x="${x(0.5)}" y="86" text-anchor="middle">50%</text>
      <text x="${x(1)}" y="86" text-anchor="end">100%</text></svg>`;
    return holder.firstElementChild;
  }

  function listOfRounds() {
    const list = element("ol", "");
    rounds.forEach((round, i) => {
      const said = answers[i] ? "right" : "wrong";
      list.append(element("li", `${said}; Bach was ${round.bachFirst ? "A" : "B"}, the other: ${round.by}`));
    });
    return list;
  }

  box.querySelector("button").addEventListener("click", begin);
}

// What scrolls sideways must be reachable with the keyboard.
function letScroll() {
  document
    .querySelectorAll("mjx-container[display=true], div.math, .course-map, .cell_output pre, .cell_output div, .pst-scrollable-table-container, div.highlight pre")
    .forEach((box) => {
      if (box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX !== "visible") box.tabIndex = 0;
    });
}

// Two things of the theme that a screen reader could not name.
function nameButtons() {
  // its text says what it is; a label that differs from the text confuses those who speak to their computer
  document.querySelectorAll(".search-button-field").forEach((button) => {
    if (button.innerText.trim()) button.removeAttribute("aria-label"); // on a phone it has no text
  });
  document.querySelectorAll(".bd-links summary").forEach((summary) => {
    const link = summary.closest("li").querySelector("a");
    summary.setAttribute("aria-label", `Pages below ${link.textContent.trim()}`);
  });
}

nameButtons();
document.querySelectorAll(".stops").forEach(setUpSlider);
document.querySelectorAll(".quiz").forEach(setUpQuiz);
window.addEventListener("load", () => {
  const ready = window.MathJax && MathJax.startup ? MathJax.startup.promise : Promise.resolve();
  ready.then(letScroll);
});
window.addEventListener("resize", letScroll);
