// The palette over every page, and the keys that work on all of them; without this file "Search" is a page.
// - Ctrl K or ⌘ K opens it; / goes to the page's own search field, or opens it where there is none
// - g and a letter goes to a page, ? shows the list of keys
"use strict";

(() => {
  const opener = document.querySelector("[data-palette]");
  if (!opener) return;
  const address = opener.dataset.palette;
  const places = { d: "/", c: "/companies/", k: "/keys/", s: "/statements/", p: "/providers/" };
  let dialog, query, list, chosen = -1, asked = 0, waiting = 0;

  const element = (tag, properties) => Object.assign(document.createElement(tag), properties);

  const build = () => {
    dialog = element("dialog", { className: "palette" });
    dialog.setAttribute("aria-label", "Search");
    query = element("input", { type: "search", className: "palette__query", maxLength: 100, autocomplete: "off" });
    query.placeholder = "Company, API key, month, page or action";
    query.setAttribute("aria-label", "Search for companies, API keys, months, pages and actions");
    query.setAttribute("role", "combobox");
    query.setAttribute("aria-expanded", "true");
    query.setAttribute("aria-controls", "palette-found");
    list = element("div", { className: "palette__found", id: "palette-found" });
    list.setAttribute("aria-live", "polite");
    const foot = element("p", { className: "palette__foot" });
    foot.append("↑ ↓ to choose", element("span", { textContent: "Enter to open" }), element("span", { textContent: "? for all keys" }));
    dialog.append(query, list, foot);
    document.body.append(dialog);
    query.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(ask, 120);
    });
    query.addEventListener("keydown", (event) => {
      const links = [...list.querySelectorAll("a")];
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        choose(links, chosen + (event.key === "ArrowDown" ? 1 : -1));
      } else if (event.key === "Escape") {
        // The browser would only empty the field.
        event.preventDefault();
        close();
      } else if (event.key === "Enter" && links.length) {
        event.preventDefault();
        (links[chosen] ?? links[0]).click();
      }
    });
    // A click beside it closes it.
    dialog.addEventListener("click", (event) => { if (event.target === dialog) close(); });
  };

  const close = () => {
    clearTimeout(waiting);
    // Hidden, the field would keep the focus until the next frame, and the next key would be meant for it.
    query.blur();
    dialog.close();
  };

  const choose = (links, index) => {
    if (!links.length) return;
    chosen = (index + links.length) % links.length;
    links.forEach((link, number) => {
      link.id = `palette-${number}`;
      link.classList.toggle("is-chosen", number === chosen);
    });
    query.setAttribute("aria-activedescendant", links[chosen].id);
    links[chosen].scrollIntoView({ block: "nearest" });
  };

  const ask = async () => {
    const number = ++asked;
    const response = await fetch(`${address}?${new URLSearchParams({ q: query.value, part: "1" })}`);
    // Whoever was signed out meanwhile gets the page that says so.
    if (!response.ok || response.redirected) return location.assign(address);
    const html = await response.text();
    if (number !== asked) return;
    list.innerHTML = html;
    chosen = -1;
    if (query.value) choose([...list.querySelectorAll("a")], 0);
  };

  const open = () => {
    if (!dialog) build();
    if (dialog.open) return;
    query.value = "";
    list.replaceChildren();
    chosen = -1;
    dialog.showModal();
    ask();
  };

  opener.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });

  let before = "";
  document.addEventListener("keydown", (event) => {
    if ((event.metaKey || event.ctrlKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
      return;
    }
    if (event.metaKey || event.ctrlKey || event.altKey || dialog?.open) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) return;
    const previous = before;
    before = event.key;
    setTimeout(() => { before = ""; }, 1200);
    if (previous === "g" && event.key in places) {
      location.assign(places[event.key]);
    } else if (event.key === "/") {
      event.preventDefault();
      const own = document.querySelector("main input[type=search]");
      if (own) own.focus();
      else open();
    } else if (event.key === "?") {
      location.assign(`${address}#shortcuts`);
    }
  });
})();
