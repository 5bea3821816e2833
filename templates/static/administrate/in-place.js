// Sends a form by script, so that whoever sent it stays where they are: the place on the page, ticks, what is typed
// elsewhere, and an API key that no server sends back.
// The answer is the page that comes without this file, too; of it only the parts are taken over: [data-part], by id.
// - form[data-in-place]            is sent that way, if the page has parts to take over;
//                                  "reset": shows again what is saved, if it could not be saved
// - form[data-returns-to="id"]     what has the focus afterwards, if the form itself went with its part
// - form[data-search]              a list is shown anew as its form is filled in, under its own address
// - form[data-preview]             what it would do is shown in its [data-moved] once it is filled in, from that address
// What leads to another page opens it. A refusal without a place on this page is said where messages stand.
"use strict";

(() => {
  let returnsTo = "main";

  const partsOf = (page) => page.querySelectorAll("[data-part][id]");

  const refuse = (form, refusal) => {
    document.getElementById("messages").replaceChildren(refusal);
    if (form.dataset.inPlace === "reset") form.reset();
  };

  const fail = (form) => {
    const notice = document.createElement("div");
    notice.className = "notice notice--bad";
    notice.textContent = "That could not be saved. Try again, or reload the page.";
    refuse(form, notice);
  };

  // What a person has changed but not sent: ticks, and fields of other forms than the one that was sent.
  const unsent = (form) =>
    [...document.querySelectorAll("[data-part] :is(input, select)[id]:not([data-select-matching])")]
      .filter((field) => field.type === "checkbox" || field.form !== form)
      .map(({ id, checked, value }) => ({ id, checked, value }));

  const putBack = (fields) => {
    for (const { id, checked, value } of fields) {
      const field = document.getElementById(id);
      if (!field || field.type === "hidden") continue;
      if (field.type === "checkbox" || field.type === "radio") field.checked = checked;
      else if (field.tagName !== "SELECT" || [...field.options].some((option) => option.value === value)) field.value = value;
    }
  };

  const takeOver = (page, form) => {
    const fields = unsent(form);
    for (const part of partsOf(page)) document.getElementById(part.id)?.replaceWith(document.adoptNode(part));
    putBack(fields);
    // Fields that stay learn from the answer what is wrong with them.
    for (const field of form.isConnected ? form.elements : []) {
      const answered = field.id && page.getElementById(field.id);
      if (!answered) continue;
      for (const name of ["aria-invalid", "aria-describedby"]) {
        if (answered.hasAttribute(name)) field.setAttribute(name, answered.getAttribute(name));
        else field.removeAttribute(name);
      }
    }
    document.dispatchEvent(new Event("in-place:settled"));
  };

  const returnFocus = () => {
    if (document.activeElement !== document.body) return;
    const place = document.getElementById(returnsTo) ?? document.getElementById("main");
    place.focus({ preventScroll: true });
  };

  // Ticks wait in this tab while a form leads to another page, for the way back.
  const waiting = `ticks of ${location.pathname}${location.search}`;
  const keepTicks = () => {
    const ticked = document.querySelectorAll("[data-part] input[type=checkbox][id]:checked:not([data-select-matching])");
    sessionStorage.setItem(waiting, JSON.stringify([...ticked].map(({ id, checked }) => ({ id, checked }))));
  };
  putBack(JSON.parse(sessionStorage.getItem(waiting) ?? "[]"));
  sessionStorage.removeItem(waiting);
  document.dispatchEvent(new Event("in-place:settled"));

  const settle = (form, response, page) => {
    const summary = page.querySelector(".error-summary");
    if (response.ok || (summary && new URL(response.url).pathname === location.pathname)) {
      const { id } = form.closest("[data-part]") ?? document.querySelector("main > [data-part]");
      const place = () => document.getElementById(id).getBoundingClientRect().top;
      const before = place();
      takeOver(page, form);
      scrollBy({ top: place() - before, behavior: "instant" });
      document.title = page.title;
      if (summary) document.querySelector("[data-focus]")?.focus();
      else returnFocus();
    } else if (summary) {
      refuse(form, document.adoptNode(summary));
    } else {
      fail(form);
    }
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-in-place]");
    if (!form || event.defaultPrevented || !document.querySelector("main > [data-part]")) return;
    if (event.submitter?.hasAttribute("formaction")) {
      keepTicks();
      return;
    }
    event.preventDefault();
    if (form.ariaBusy) return;
    form.ariaBusy = "true";
    returnsTo = form.dataset.returnsTo ?? returnsTo;
    try {
      const body = new URLSearchParams(new FormData(form, event.submitter));
      let response = await fetch(form.action, { method: "POST", body, headers: { "X-In-Place": "1" } });
      if (response.headers.has("Location")) {
        const next = new URL(response.headers.get("Location"), location);
        if (next.pathname !== location.pathname) {
          keepTicks();
          location.assign(next);
          return;
        }
        response = await fetch(next);
      }
      settle(form, response, new DOMParser().parseFromString(await response.text(), "text/html"));
    } catch {
      fail(form);
    }
    form.ariaBusy = null;
    document.dispatchEvent(new Event("in-place:settled"));
  });

  // Of these, the latest answer counts, whichever comes last.
  let asked = 0;
  let previewed = 0;
  document.addEventListener("change", async ({ target }) => {
    const form = target.form?.closest("form[data-preview]");
    const place = form?.querySelector("[data-moved]");
    if (!place) return;
    const number = ++previewed;
    const body = new URLSearchParams(new FormData(form));
    try {
      const wanted = body.get("company") && (body.has("projects") || body.has("matching"));
      const response = wanted && (await fetch(form.dataset.preview, { method: "POST", body }));
      const page = new DOMParser().parseFromString(response?.ok ? await response.text() : "", "text/html");
      if (number === previewed) place.replaceChildren(...(page.querySelector("[data-moved]")?.childNodes ?? []));
    } catch {
      place.replaceChildren();
    }
  });

  const show = async (form) => {
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    const address = query.size ? `${location.pathname}?${query}` : location.pathname;
    const number = ++asked;
    try {
      const response = await fetch(address);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (number !== asked || !response.ok) return;
      takeOver(page, form);
      history.replaceState(null, "", address);
      form.querySelector("[data-search-said]").textContent = document.querySelector("h2[data-part], [data-part] h2")?.textContent ?? "";
    } catch {
      // The form's button remains.
    }
  };
  let typed;
  document.addEventListener("input", ({ target }) => {
    const form = target.closest("form[data-search]");
    if (!form) return;
    clearTimeout(typed);
    typed = setTimeout(() => show(form), target.type === "search" ? 200 : 0);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-search]");
    if (!form) return;
    event.preventDefault();
    clearTimeout(typed);
    show(form);
  });

  // Messages float above the page, so they must be able to go.
  const makeDismissible = () => {
    for (const message of document.querySelectorAll("#messages > :not(:has([data-dismiss]))")) {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "messages__dismiss", textContent: "×", ariaLabel: "Dismiss" });
      button.dataset.dismiss = "";
      message.append(button);
    }
  };
  document.addEventListener("in-place:settled", makeDismissible);
  makeDismissible();
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-dismiss]")) return;
    event.target.closest("#messages > *").remove();
    returnFocus();
  });
})();
