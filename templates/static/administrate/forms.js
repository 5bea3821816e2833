// What scripts add to forms and tables; every page works without this file.
// - the error summary takes the focus           [data-focus]
// - a sending form says so and is sent once     form[data-busy], a button's own words: button[data-busy]
// - a masked field can be shown                 button[data-reveal]
// - a field's text is copied                    button[data-copy]
// - checkboxes of a table and their bulk bar    [data-bulk]
// - a date is asked for only where it counts    form[data-applies]
// - all that match are chosen, beyond the page  [data-select-matching], their number
// - a name that is taken is said at its field   input[data-taken], the id of the names
// - bubbles with a reason close on Escape       .hint
// - a menu closes on Escape and when it is left details[data-menu]
"use strict";

(() => {
  document.querySelector("[data-focus]")?.focus();

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-busy]");
    if (!form) return;
    const button = event.submitter ?? form.querySelector("button:not([type=button])");
    if (form.querySelector("[aria-disabled=true]")) {
      event.preventDefault();
      return;
    }
    button.dataset.idle = button.textContent;
    button.textContent = button.dataset.busy ?? form.dataset.busy;
    button.setAttribute("aria-disabled", "true");
  });

  // Coming back through the browser's history shows the page as it was left: idle again.
  const idle = () => {
    for (const button of document.querySelectorAll("button[data-idle]")) {
      button.textContent = button.dataset.idle;
      button.removeAttribute("aria-disabled");
    }
  };
  window.addEventListener("pageshow", idle);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-reveal]");
    if (!button) return;
    const input = document.getElementById(button.dataset.reveal);
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.textContent = shown ? "Show" : "Hide";
    button.setAttribute("aria-pressed", String(!shown));
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const input = document.getElementById(button.dataset.copy);
    input.select();
    try {
      await navigator.clipboard.writeText(input.value);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Selected";
    }
  });

  // The bulk bar: how many are chosen, all of the page at once, and only the inputs that the choice needs. ------------

  const updateBulk = () => {
    const bar = document.querySelector("[data-bulk]");
    if (!bar) return;
    const boxes = [...document.querySelectorAll("input[name=projects][type=checkbox]")];
    const matching = document.querySelector("[data-select-matching]");
    const ticked = boxes.filter((box) => box.checked).length;
    const chosen = matching?.checked ? Number(matching.dataset.selectMatching) : ticked;
    bar.hidden = chosen === 0;
    bar.querySelector("[data-bulk-count]").textContent = `${chosen} selected`;
    const isNew = bar.querySelector("select[name=company]").value === "new";
    bar.querySelector("[data-needs=new]").hidden = !isNew || Boolean(bar.querySelector("[role=combobox]"));
    bar.querySelector("[data-needs=from]").hidden = !bar.querySelector("input[name=applies_to][value=from]").checked;
    const all = document.querySelector("[data-select-all]");
    if (all) {
      all.checked = ticked > 0 && ticked === boxes.length;
      all.indeterminate = ticked > 0 && ticked < boxes.length;
    }
  };

  // A name that is taken is said when its field is left – but not on the way to a button, which would move from under
  // the pointer; the server says it then.
  const tidy = (name) => name.trim().split(/\s+/).join(" ").toLowerCase();
  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    if (!target.dataset.taken || relatedTarget?.matches("button")) return;
    const { names, sentence } = JSON.parse(document.getElementById(target.dataset.taken).textContent);
    const errors = document.getElementById(`${target.id}_error`);
    const isTaken = names.some((name) => tidy(name) === tidy(target.value));
    if (isTaken) {
      const error = document.createElement("p");
      error.className = "field__error";
      error.textContent = sentence;
      errors.replaceChildren(error);
      target.setAttribute("aria-invalid", "true");
    } else if (errors.textContent === sentence) {
      errors.replaceChildren();
      target.removeAttribute("aria-invalid");
    }
  });

  // A date that is asked for only where something applies from a date on.
  const updateDates = () => {
    for (const form of document.querySelectorAll("form[data-applies]")) {
      const fromDate = form.querySelector("input[name=applies_to][value=from]").checked;
      form.querySelector("[data-needs=from]").hidden = !fromDate;
    }
  };
  document.addEventListener("change", updateDates);
  window.addEventListener("pageshow", updateDates);
  updateDates();

  const tick = (isTicked) => {
    for (const box of document.querySelectorAll("input[name=projects][type=checkbox]")) box.checked = isTicked;
  };
  document.addEventListener("change", ({ target }) => {
    const matching = document.querySelector("[data-select-matching]");
    if (target.matches("[data-select-all], [data-select-matching]")) tick(target.checked);
    // Without one of them it is no longer all that match.
    if (matching && target !== matching && target.matches("[data-select-all], input[name=projects]")) matching.checked = false;
    updateBulk();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-bulk-clear]")) return;
    tick(false);
    const matching = document.querySelector("[data-select-matching]");
    if (matching) matching.checked = false;
    updateBulk();
    (matching ?? document.querySelector("[data-select-all]"))?.focus();
  });
  window.addEventListener("pageshow", updateBulk);
  updateBulk();

  document.addEventListener("in-place:settled", () => {
    for (const update of [idle, updateBulk, updateDates]) update();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.body.classList.add("hints-off");
    const menu = document.querySelector("details[data-menu][open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  for (const left of ["focusin", "click"]) {
    document.addEventListener(left, (event) => {
      for (const menu of document.querySelectorAll("details[data-menu][open]")) {
        if (!menu.contains(event.target)) menu.open = false;
      }
    });
  }
  for (const moved of ["focusin", "pointerover"]) {
    document.addEventListener(moved, (event) => {
      if (event.target.closest(".hint")) document.body.classList.remove("hints-off");
    });
  }
})();
