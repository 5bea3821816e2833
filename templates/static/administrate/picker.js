// A company is chosen by typing: select[data-picker] becomes a combobox with a list (WAI-ARIA, manual selection), which
// also makes a new one of what was typed. The list and the field data-picker names stay in the form, hidden, and are
// what is sent. Nothing is chosen by an arrow key alone, and nothing saved without the form's button.
// - a[data-assign-row]     opens #assign-row, a form for the one key that it names, in its place
// - [data-assign-cancel]   closes it
"use strict";

(() => {
  let made = 0;
  const tidy = (text) => text.trim().split(/\s+/).join(" ").toLowerCase();

  const enhance = (select) => {
    const name = document.getElementById(select.dataset.picker);
    const label = select.form.querySelector(`label[for="${select.id}"]`);
    const input = document.createElement("input");
    const list = document.createElement("ul");
    const said = document.createElement("span");
    const number = ++made;
    Object.assign(input, { id: `${select.id}-input`, type: "text", autocomplete: "off", placeholder: "Type a name", required: true, maxLength: 120 });
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", `picker-${number}`);
    Object.assign(list, { id: `picker-${number}`, className: "picker__list", popover: "manual" });
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Companies");
    Object.assign(said, { className: "visually-hidden", role: "status" });
    label.htmlFor = input.id;
    select.hidden = true;
    select.required = false;
    name.closest("[data-needs]").hidden = true;
    select.before(input, list, said);

    let active = -1;
    const choices = () => [...list.children];
    const isOpen = () => input.ariaExpanded === "true";
    const chosen = () => (select.value === "new" ? name.value : select.value ? select.selectedOptions[0].text : "");

    input.value = chosen();

    const mark = (index) => {
      const options = choices();
      active = index;
      for (const [place, option] of options.entries()) option.ariaSelected = String(place === index);
      if (index < 0) input.removeAttribute("aria-activedescendant");
      else {
        input.setAttribute("aria-activedescendant", options[index].id);
        options[index].scrollIntoView({ block: "nearest" });
      }
    };

    // Above the field where there is more room.
    const place = () => {
      const { left, right, top, bottom } = input.getBoundingClientRect();
      const below = innerHeight - bottom;
      const height = Math.min(list.scrollHeight, Math.max(below, top) - 12, 320);
      list.style.left = `${Math.max(8, Math.min(left, innerWidth - list.offsetWidth - 8))}px`;
      list.style.minWidth = `${right - left}px`;
      list.style.maxHeight = `${height}px`;
      list.style.top = below >= height + 8 ? `${bottom + 4}px` : `${top - Math.min(height, list.offsetHeight) - 4}px`;
    };

    const open = (everything) => {
      const typed = tidy(everything ? "" : input.value);
      const known = [...select.options].filter(({ value }) => value && value !== "new");
      const fitting = known.filter(({ text }) => tidy(text).includes(typed));
      fitting.sort((one, other) => Number(tidy(other.text).startsWith(typed)) - Number(tidy(one.text).startsWith(typed)));
      const options = fitting.map(({ value, text }) => ({ value, text, shown: text }));
      if (typed && !known.some(({ text }) => tidy(text) === typed)) {
        const text = input.value.trim().split(/\s+/).join(" ");
        options.push({ value: "new", text, shown: `Create “${text}”` });
      }
      list.replaceChildren(
        ...options.map(({ value, text, shown }, index) => {
          const item = document.createElement("li");
          Object.assign(item, { id: `picker-${number}-${index}`, textContent: shown });
          item.setAttribute("role", "option");
          Object.assign(item.dataset, { value, text });
          return item;
        }),
      );
      said.textContent = `${fitting.length} ${fitting.length === 1 ? "company" : "companies"}`;
      if (!isOpen()) list.showPopover();
      input.ariaExpanded = "true";
      mark(-1);
      place();
    };

    const close = () => {
      if (isOpen()) list.hidePopover();
      input.ariaExpanded = "false";
      mark(-1);
    };

    const choose = ({ value, text }) => {
      select.value = value;
      name.value = value === "new" ? text : "";
      input.value = text;
      input.setCustomValidity("");
      close();
      select.dispatchEvent(new Event("change", { bubbles: true }));
    };

    // What was typed counts without a choice where it is a company's whole name.
    const settle = () => {
      const same = [...select.options].find(({ value, text }) => value && value !== "new" && tidy(text) === tidy(input.value));
      if (same && same.value !== select.value) choose({ value: same.value, text: same.text });
      const isChosen = input.value && tidy(input.value) === tidy(chosen());
      if (!input.value) select.value = "";
      input.setCustomValidity(!input.value || isChosen ? "" : "Choose a company from the list, or “Create”.");
    };

    input.addEventListener("input", () => {
      input.setCustomValidity("");
      open(false);
    });
    input.addEventListener("click", () => (isOpen() ? close() : open(!input.value || tidy(input.value) === tidy(chosen()))));
    input.addEventListener("keydown", (event) => {
      const last = choices().length - 1;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        const down = event.key === "ArrowDown";
        if (!isOpen()) open(!input.value || tidy(input.value) === tidy(chosen()));
        const end = choices().length - 1;
        if (!event.altKey && end >= 0) mark(down ? (active < end ? active + 1 : 0) : active > 0 ? active - 1 : end);
      } else if (event.key === "Enter" && isOpen()) {
        event.preventDefault();
        if (active < 0 && tidy(input.value)) {
          settle();
          if (!input.validationMessage) return close();
        }
        if (active >= 0 || last === 0) choose(choices()[Math.max(active, 0)].dataset);
      } else if (event.key === "Tab") {
        close(); // a list that scrolls would be the next stop
      } else if (event.key === "Escape" && (isOpen() || input.value !== chosen())) {
        event.stopPropagation();
        if (!isOpen()) input.value = chosen();
        close();
      }
    });
    input.addEventListener("blur", () => {
      close();
      settle();
    });
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", ({ target }) => {
      const option = target.closest("[role=option]");
      if (option) choose(option.dataset);
    });
    select.form.addEventListener("reset", () => setTimeout(() => (input.value = chosen())));
    for (const moved of ["scroll", "resize"]) addEventListener(moved, () => isOpen() && place(), { passive: true });
  };

  const enhanceAll = () => {
    for (const select of document.querySelectorAll("select[data-picker]:not([hidden])")) enhance(select);
  };

  // One row at a time is open.
  const closeRow = () => {
    const form = document.querySelector(".payer form");
    if (!form) return null;
    const link = form.parentElement.querySelector("[data-assign-row]");
    form.parentElement.classList.remove("is-open");
    form.remove();
    return link;
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-assign-cancel]")) closeRow()?.focus();
    const link = event.target.closest("a[data-assign-row]");
    const template = document.getElementById("assign-row");
    if (!link || !template || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    closeRow();
    const form = template.content.firstElementChild.cloneNode(true);
    form.elements.projects.value = link.dataset.assignRow;
    form.elements.next.value += `#key-${link.dataset.assignRow}`;
    form.dataset.returnsTo = link.id;
    form.ariaLabel = link.textContent;
    link.parentElement.classList.add("is-open");
    link.parentElement.append(form);
    enhanceAll();
    form.querySelector("[role=combobox]").focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.closest?.(".payer form")) closeRow()?.focus();
  });

  document.addEventListener("in-place:settled", enhanceAll);
  enhanceAll();
})();
