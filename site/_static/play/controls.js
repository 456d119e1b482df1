// Small parts that all of these pages use.
export const files = new URL("../../play/", import.meta.url); // weights and hymns

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made && name !== "list" && name !== "form") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// A labelled choice; options are [value, text].
export function choice(label, options, value, change) {
  const select = element("select", { onchange: () => change(select.value) });
  for (const [key, text] of options) select.append(element("option", { value: key, textContent: text, selected: String(key) === String(value) }));
  return { box: element("label", {}, label, " ", select), select };
}

// A labelled slider that says its value in words.
export function slider(label, { min, max, step, value, say = String, change = () => {} }) {
  const output = element("output"), input = element("input", { type: "range", min, max, step, value, "aria-label": label });
  const tell = () => {
    output.textContent = say(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => { tell(); change(Number(input.value)); });
  tell();
  return { box: element("div", { className: "play-slider" }, element("span", {}, `${label}: `, output), input), input, value: () => Number(input.value), tell };
}

export function download(name, type, content) {
  const link = element("a", { href: URL.createObjectURL(new Blob([content], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// What a widget offers the roll, without a kernel.
export function rollModel(state) {
  const calls = {};
  return {
    get: (name) => state[name],
    set: (name, value) => {
      state[name] = value;
      for (const call of calls[`change:${name}`] ?? []) call();
    },
    on: (event, call) => (calls[event] ??= []).push(call),
    save_changes: () => state.changed?.(),
  };
}
