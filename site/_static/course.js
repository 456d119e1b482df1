// Sliders with precomputed stops, the listening test, and keyboard access to what scrolls. Nothing is stored or sent.
"use strict";

function setUpSlider(box) {
  const range = box.querySelector("input");
  const output = box.querySelector("output");
  const stops = [...box.querySelectorAll(".stop")];
  const playerOf = (stop) => stop.querySelector("musiclab-player")?.player;
  const show = () => {
    const before = stops.find((stop) => !stop.hidden && playerOf(stop)?.isPlaying());
    const share = before ? playerOf(before).playing() : null;
    stops.forEach((stop, i) => { stop.hidden = i !== Number(range.value); });
    if (before?.hidden) {
      playerOf(before).stop();
      playerOf(stops[range.value])?.play(share); // the music goes on at the new stop
    }
    const value = stops[range.value].dataset.value;
    output.textContent = value;
    range.setAttribute("aria-valuetext", value);
  };
  range.addEventListener("input", show);
  show();
}

// Each in turn changes places with one that is not yet fixed: every order is equally likely.
function shuffled(list, random = Math.random) {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
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

// Random numbers that a word determines (FNV-1a, then mulberry32): a class with one code gets the same rounds.
function randomFrom(word) {
  let state = 2166136261;
  for (const letter of word) state = Math.imul(state ^ letter.codePointAt(0), 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// The lines that musiclab.metrics.listening_answers reads.
function answersAsCsv(code, listener, rounds, answers) {
  const quoted = (text) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = rounds.map((round, i) => {
    const bach = round.bachFirst ? "A" : "B";
    const answer = answers[i] ? bach : round.bachFirst ? "B" : "A";
    return [code, listener, i + 1, 2, quoted(round.by), bach, answer].join(",");
  });
  return ["code,listener,round,choices,model,bach,answer", ...lines, ""].join("\n");
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
  let rounds, answers, code, wanted, listener;

  // An instructor's link fixes both: ?class=7c&rounds=8
  function prefill() {
    const asked = new URLSearchParams(location.search);
    for (const [name, key] of [["code", "class"], ["rounds", "rounds"]]) {
      const field = box.querySelector(`input[name=${name}]`);
      if (name === "rounds") field.max = all.length;
      if (!asked.has(key)) continue;
      field.value = asked.get(key);
      field.readOnly = true;
    }
  }

  function start() {
    code = box.querySelector("input[name=code]").value.replace(/[^\w-]/g, "").slice(0, 20);
    const number = Math.floor(Number(box.querySelector("input[name=rounds]").value));
    wanted = Math.min(all.length, Math.max(1, number || Number(box.dataset.rounds)));
    begin();
  }

  function begin() {
    const chosen = shuffled(all, code ? randomFrom(code) : Math.random).slice(0, wanted);
    rounds = shuffled(chosen).map((round) => ({ ...round, bachFirst: Math.random() < 0.5 }));
    listener = [...crypto.getRandomValues(new Uint8Array(4))]
      .map((byte) => byte.toString(16).padStart(2, "0")).join("");
    answers = [];
    ask();
  }

  function heading(text) {
    const title = element("h2", text, { tabindex: "-1" });
    box.replaceChildren(title);
    title.focus();
  }

  // without a picture of the notes, which would say too much
  function player(label, { file, seconds }) {
    const one = element("musiclab-player", "", { "data-label": label, "data-seconds": "0.1", "data-steps": String(10 * seconds) });
    one.append(element("audio", "", { controls: "", preload: "none", src: file, "aria-label": label }));
    return one;
  }

  function players(round) {
    const pair = element("div", "", { class: "quiz-pair" });
    const files = round.bachFirst ? [round.bach, round.model] : [round.model, round.bach];
    ["A", "B"].forEach((name, i) => {
      const place = element("div", "");
      place.append(element("p", `Piece ${name}`), player(`Piece ${name}`, files[i]));
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
    box.append(summary, drawing(right / n, low, high, between), listOfRounds(), byModel(), download());
    if (right < n) box.append(missed());
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

  function byModel() {
    const table = element("table", "", { class: "quiz-models" });
    table.append(element("caption", "By model, from the least often recognised on"));
    const row = (cells, kind) => {
      const line = element("tr", "");
      cells.forEach((cell, i) => line.append(element(kind, cell, kind === "th" ? { scope: "col" } : {})));
      return line;
    };
    table.append(row(["model", "found Bach", "95% interval"], "th"));
    [...new Set(rounds.map((round) => round.by))]
      .map((by) => {
        const own = answers.filter((_, i) => rounds[i].by === by);
        return [by, own.filter(Boolean).length, own.length];
      })
      .sort((a, b) => a[1] / a[2] - b[1] / b[2])
      .forEach(([by, right, n]) => {
        const [low, high] = wilson(right, n);
        table.append(row([by, `${right} of ${n}`, `${percent(low)} to ${percent(high)}`], "td"));
      });
    return table;
  }

  function download() {
    const place = element("p", "For a class: hand in your answers as a file. It holds a random number, not your name. ");
    const button = element("button", "Download my answers", { type: "button" });
    button.addEventListener("click", () => {
      const text = answersAsCsv(code, listener, rounds, answers);
      const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
      element("a", "", { href: url, download: `answers_${code || "alone"}_${listener}.csv` }).click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    });
    place.append(button);
    return place;
  }

  function missed() {
    const part = element("div", "", { class: "quiz-missed" });
    part.append(element("h3", "Hear again what you missed"));
    rounds.forEach((round, i) => {
      if (answers[i]) return;
      const pair = players(round);
      const names = round.bachFirst ? ["Bach", round.by] : [round.by, "Bach"];
      [...pair.children].forEach((place, k) => {
        place.querySelector("p").textContent = names[k];
        place.querySelector("musiclab-player").dataset.label = `Round ${i + 1}: ${names[k]}`;
      });
      part.append(element("p", `Round ${i + 1}`), pair);
    });
    return part;
  }

  function listOfRounds() {
    const list = element("ol", "");
    rounds.forEach((round, i) => {
      const said = answers[i] ? "right" : "wrong";
      list.append(element("li", `${said}; Bach was ${round.bachFirst ? "A" : "B"}, the other: ${round.by}`));
    });
    return list;
  }

  prefill();
  box.querySelector("button").addEventListener("click", start);
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
