// Draws the page that Python sends and says what the reviewer does. Text is only ever set as text.

// content: a text, or a list of nodes
function make(tag, name, content = [], attributes = {}) {
  const node = document.createElement(tag);
  if (name) node.className = `ntk-${name}`;
  node.append(...[content].flat());
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

function passage(piece, act) {
  if (piece.kind === null) return [make("span", "", piece.text)];
  const text = make(piece.kind && piece.kind !== "stays" ? "del" : "mark", piece.asked ? "asked" : "", piece.text);
  text.dataset.kind = piece.kind;
  if (piece.action) {
    text.classList.add("ntk-link");
    text.addEventListener("click", () => act(piece.action));
  }
  if (!piece.kind) return [text];
  return [make("small", "tag", piece.kind, { "data-kind": piece.kind }), text];
}

function excerpt(item, act) {
  const pieces = item.pieces.flatMap((piece) => passage(piece, act));
  const text = make("p", "text tex2jax_ignore mathjax_ignore", pieces, { dir: "auto" });
  return make("li", "", item.place ? [make("p", "place", item.place, { dir: "auto" }), text] : text);
}

const KEYS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", PageUp: "PgUp", PageDown: "PgDn" };

function addKey(control, place, key) {
  if (!key) return;
  control.setAttribute("aria-keyshortcuts", key);
  place.append(make("kbd", "", KEYS[key] ?? key));
}

function render({ model, el }) {
  const heading = make("h3", "heading", "Waiting for the kernel; run the cell again if this stays.");
  const progress = make("progress", "progress", [], { "aria-label": "done" });
  const count = make("span", "count");
  const facts = make("dl", "facts");
  const inputs = make("div", "fields");
  const buttons = make("div", "actions");
  const status = make("p", "status", [], { role: "status" });
  const shown = make("p", "shown");
  const list = make("ol", "excerpts");
  const head = make("header", "head", [heading, progress, count]);
  const root = make("section", "review", [head, inputs, facts, buttons, status, shown, list], { tabindex: 0 });
  el.append(root);

  let byKey = {};
  let drawn = "";
  let asked = "";

  function drawGroup(name, actions) {
    const row = make("div", "buttons");
    for (const action of actions.filter((a) => a.group === name)) {
      const button = make("button", "", make("span", "label"), { type: "button", "data-action": action.name });
      addKey(button, button, action.key);
      button.addEventListener("click", () => act(action.name));
      row.append(button);
    }
    const legend = make("span", "legend", name);
    return make("div", "group", [legend, row], { role: "group", "aria-label": name });
  }

  // Buttons are kept while they stay the same actions, so that focus stays where it is.
  function drawActions(all) {
    const actions = all.filter((action) => action.group);
    const names = JSON.stringify(actions.map((a) => [a.name, a.group]));
    if (names !== drawn) {
      drawn = names;
      const groups = new Set(actions.map((a) => a.group));
      buttons.replaceChildren(...[...groups].map((group) => drawGroup(group, actions)));
    }
    byKey = {};
    for (const button of buttons.querySelectorAll("button")) {
      const action = actions.find((a) => a.name === button.dataset.action);
      button.firstChild.textContent = action.label;
      // aria-disabled, not disabled: a disabled button loses the focus and the keys with it
      button.setAttribute("aria-disabled", String(!action.enabled));
      if (action.pressed !== null) button.setAttribute("aria-pressed", String(action.pressed));
      if (action.key && action.enabled) byKey[action.key] = action.name;
    }
  }

  function input(field) {
    const options = (field.options ?? []).map(([value, text]) => make("option", "", text, { value }));
    const box = make(field.options ? "select" : "input", "", options, { "data-field": field.name });
    if (!field.options) box.type = field.kind;
    if (field.kind === "number") Object.assign(box, { min: 0, max: 1, step: 0.01 });
    const send = () => model.send({ do: field.name, value: box.value });
    const typed = !field.options && field.kind === "text" && field.name !== "note";
    box.addEventListener(typed ? "input" : "change", send);
    if (typed) box.dataset.typed = "yes";
    const label = make("label", "", field.label);
    addKey(box, label, field.key);
    label.append(box);
    return label;
  }

  // Like buttons, fields stay while they ask for the same, and what is being written is left alone.
  function drawFields(fields) {
    const names = JSON.stringify(fields.map((f) => [f.name, f.options]));
    if (names !== asked) {
      asked = names;
      inputs.replaceChildren(...fields.map(input));
      if (fields.length > 1) facts.before(inputs);
      else buttons.after(inputs); // a note alone is seldom written, so Tab reaches the verdicts first
    }
    for (const field of fields) {
      const box = inputs.querySelector(`[data-field="${field.name}"]`);
      if (box !== document.activeElement || field.options) box.value = field.value;
      box.dataset.enter = field.enter;
      box.dataset.seen = field.value;
      if (box.dataset.entered && field.value === box.value) {
        delete box.dataset.entered;
        leave(box);
      }
      if (field.key) byKey[field.key] = box;
    }
  }

  let waiting = false;
  function act(name) {
    const button = [...buttons.querySelectorAll("button")].find((b) => b.dataset.action === name);
    if (waiting || button?.getAttribute("aria-disabled") === "true") return;
    waiting = name !== "show"; // a key held down must not judge what was not yet seen
    root.setAttribute("aria-busy", String(waiting));
    model.send({ do: name });
  }

  function leave(box) {
    root.focus(); // a note that is being written is sent as the focus leaves it
    if (box.dataset.enter) act(box.dataset.enter);
  }

  function draw(page) {
    waiting = false;
    root.setAttribute("aria-busy", "false");
    root.setAttribute("aria-label", page.name);
    heading.textContent = `${page.name}: ${page.heading}`;
    progress.max = Math.max(1, page.total);
    progress.value = page.done;
    count.textContent = `${page.done} of ${page.total} ${page.judged || "done"}`;
    const fact = ([name, value]) => make("div", "", [make("dt", "", name), make("dd", "", value, { dir: "auto" })]);
    facts.replaceChildren(...page.facts.map(fact));
    drawActions(page.actions);
    drawFields(page.fields);
    status.textContent = page.status;
    shown.textContent = page.shown;
    list.replaceChildren(...page.excerpts.map((item) => excerpt(item, act)));
    const marked = list.querySelector(".ntk-asked");
    if (marked) reveal(marked);
  }

  // Only the list scrolls: the notebook around it must not jump with each key.
  function reveal(node) {
    const [box, place] = [list.getBoundingClientRect(), node.getBoundingClientRect()];
    if (place.top < box.top || place.bottom > box.bottom) list.scrollTop += place.top - box.top - 40;
  }

  // At the window, before JupyterLab takes a, r and the digits for its own; Ctrl+S and the like stay its own.
  function onKey(event) {
    if (!root.contains(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Tab") return;
    const box = event.target.dataset.field ? event.target : null;
    if (event.key === "Escape" && !box) return;
    event.stopPropagation();
    if (box) {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      // what Enter does is known once the page for the last letter is there
      if (event.key === "Enter" && box.dataset.typed && box.dataset.seen !== box.value) box.dataset.entered = "yes";
      else if (event.key === "Enter") leave(box);
      else root.focus();
      return;
    }
    const pressing = event.target.tagName === "BUTTON" && (event.key === "Enter" || event.key === " ");
    const name = byKey[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (pressing || !name) return;
    event.preventDefault();
    if (event.repeat) return;
    if (typeof name === "string") act(name);
    else name.focus();
  }

  window.addEventListener("keydown", onKey, true);
  model.on("msg:custom", draw);
  act("show");
  return () => {
    window.removeEventListener("keydown", onKey, true);
    model.off("msg:custom", draw);
  };
}

export default { render };
