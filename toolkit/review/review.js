// Draws the page that Python sends and says what the reviewer does. All text is set as textContent.

function make(tag, name, text) {
  const node = document.createElement(tag);
  if (name) node.className = `ntk-${name}`;
  if (text) node.textContent = text;
  return node;
}

function passage(piece) {
  if (!piece.kind) return [make("span", "", piece.text)];
  const tag = make("small", "tag", piece.kind);
  tag.style.backgroundColor = piece.ink;
  const text = make(piece.struck ? "del" : "mark", piece.asked ? "asked" : "", piece.text);
  text.style.color = piece.ink;
  text.style.backgroundColor = piece.tint;
  return [tag, text];
}

function excerpt(item) {
  const row = make("li");
  if (item.place) {
    const place = make("p", "place", item.place);
    place.dir = "auto";
    row.append(place);
  }
  const text = make("p", "text tex2jax_ignore mathjax_ignore");
  text.dir = "auto";
  text.append(...item.pieces.flatMap(passage));
  row.append(text);
  return row;
}

const KEYS = { ArrowLeft: "←", ArrowRight: "→", PageUp: "PgUp", PageDown: "PgDn" };

function render({ model, el }) {
  const root = make("section", "review");
  root.tabIndex = 0;
  const heading = make("h3", "heading", "Waiting for the kernel; run the cell again if this stays.");
  const progress = make("progress", "progress");
  progress.setAttribute("aria-label", "done");
  const count = make("span", "count");
  const facts = make("dl", "facts");
  const buttons = make("div", "actions");
  const status = make("p", "status");
  status.setAttribute("role", "status");
  const shown = make("p", "shown");
  const list = make("ol", "excerpts");
  const head = make("header", "head");
  head.append(heading, progress, count);
  root.append(head, facts, buttons, status, shown, list);
  el.append(root);

  let byKey = {};
  let drawn = "";

  // Buttons are kept while they stay the same actions, so that focus stays where it is.
  function drawActions(actions) {
    const names = JSON.stringify(actions.map((a) => [a.name, a.group]));
    if (names !== drawn) {
      drawn = names;
      const groups = new Map();
      for (const action of actions) {
        if (!groups.has(action.group)) {
          const group = make("div", "group");
          group.setAttribute("role", "group");
          group.setAttribute("aria-label", action.group);
          const row = make("div", "buttons");
          group.append(make("span", "legend", action.group), row);
          groups.set(action.group, row);
        }
        const button = make("button");
        button.type = "button";
        button.dataset.action = action.name;
        button.append(make("span", "label"), make("kbd", "", KEYS[action.key] ?? action.key));
        if (action.key) button.setAttribute("aria-keyshortcuts", action.key);
        else button.lastChild.remove();
        button.addEventListener("click", () => act(action.name));
        groups.get(action.group).append(button);
      }
      buttons.replaceChildren(...[...groups.values()].map((row) => row.parentNode));
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

  let waiting = false;
  function act(name) {
    const button = [...buttons.querySelectorAll("button")].find((b) => b.dataset.action === name);
    if (waiting || button?.getAttribute("aria-disabled") === "true") return;
    waiting = name !== "show"; // a key held down must not judge what was not yet seen
    root.setAttribute("aria-busy", String(waiting));
    model.send({ do: name });
  }

  function draw(page) {
    waiting = false;
    root.setAttribute("aria-busy", "false");
    root.setAttribute("aria-label", page.name);
    heading.textContent = `${page.name}: ${page.heading}`;
    progress.max = Math.max(1, page.total);
    progress.value = page.done;
    count.textContent = `${page.done} of ${page.total} done`;
    facts.replaceChildren(
      ...page.facts.map(([name, value]) => {
        const pair = make("div");
        const told = make("dd", "", value);
        told.dir = "auto";
        pair.append(make("dt", "", name), told);
        return pair;
      }),
    );
    drawActions(page.actions);
    status.textContent = page.status;
    shown.textContent = page.shown;
    list.replaceChildren(...page.excerpts.map(excerpt));
  }

  // At the window, before JupyterLab takes a, r and the digits for its own; Ctrl+S and the like stay its own.
  function onKey(event) {
    if (!root.contains(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Tab" || event.key === "Escape") return;
    event.stopPropagation();
    const pressing = event.target.tagName === "BUTTON" && (event.key === "Enter" || event.key === " ");
    const name = byKey[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (pressing || !name) return;
    event.preventDefault();
    if (!event.repeat) act(name);
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
