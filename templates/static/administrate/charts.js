// What the server's charts (costs/pages/charts.py) gain from a script: figures under the pointer, one series alone, a
// range chosen by dragging, and a long table that comes when it is opened. Figures are shown as the texts that the server
// wrote; only how high a bar is drawn is computed here.
"use strict";

(() => {
  const HEIGHT = 1000;
  const WIDTH = 100;
  const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumSignificantDigits: 4 });

  // Zero and up to four round numbers above it, as costs.pages.bars.axis has them.
  const axisOf = (highest) => {
    if (highest <= 0) return [0, 1];
    const power = 10 ** Math.floor(Math.log10(highest / 4));
    const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((each) => each >= (highest / 4) * 0.999);
    return Array.from({ length: Math.ceil(highest / step - 0.001) + 1 }, (_, number) => step * number);
  };

  const pathOf = (values, highest) => {
    const half = (WIDTH * Math.min(0.84, 0.055 * values.length)) / 2;
    return values
      .map((value, index) => {
        if (!value) return "";
        const top = Math.min(Math.round(HEIGHT * (1 - value / highest)), HEIGHT - 1);
        const middle = index * WIDTH + WIDTH / 2;
        return `M${middle - half} ${HEIGHT}V${top}H${middle + half}V${HEIGHT}Z`;
      })
      .join("");
  };

  // A click on a legend's entry draws it alone; another one on the same draws all again.
  const isolating = (figure, data) => {
    const buttons = [...figure.querySelectorAll("[data-series]")];
    const bars = [...figure.querySelectorAll(".chart__bars")];
    const whole = bars.map((bar) => bar.getAttribute("d"));
    const axis = figure.querySelector(".chart__axis");
    const grid = figure.querySelector(".chart__grid");
    const [labels, lines] = [axis.innerHTML, grid.innerHTML];
    const drawAxis = (values) => {
      axis.replaceChildren();
      grid.replaceChildren();
      for (const value of values) {
        const at = `${100 * (1 - value / values.at(-1))}%`;
        const [label, line] = ["text", "line"].map((name) => document.createElementNS(axis.namespaceURI, name));
        const place = (element, attributes) => Object.entries(attributes).forEach((each) => element.setAttribute(...each));
        place(label, { x: "100%", y: at, dy: 4 });
        place(line, { x1: 0, x2: "100%", y1: at, y2: at });
        label.textContent = data.prefix + compact.format(value);
        axis.append(label);
        grid.append(line);
      }
    };
    const show = (alone) => {
      figure.classList.toggle("is-isolated", alone >= 0);
      buttons.forEach((button, index) => {
        button.ariaPressed = String(index === alone);
        bars[index].setAttribute("d", alone < 0 ? whole[index] : "");
      });
      if (alone < 0) {
        [axis.innerHTML, grid.innerHTML] = [labels, lines];
        return;
      }
      const values = data.series[alone].values;
      const highest = axisOf(Math.max(0, ...values.map((value) => value ?? 0)));
      drawAxis(highest);
      bars[alone].setAttribute("d", pathOf(values, highest.at(-1)));
    };
    buttons.forEach((button, index) => {
      button.disabled = false;
      button.addEventListener("click", () => show(button.ariaPressed === "true" ? -1 : index));
    });
    return () => buttons.findIndex((button) => button.ariaPressed === "true");
  };

  const row = (tip, swatch, label, text, name = "") => {
    const line = document.createElement("p");
    line.className = `chart__tip-line ${name}`;
    const head = document.createElement("bdi");
    head.textContent = label;
    const figure = document.createElement("span");
    figure.textContent = text;
    line.append(...(swatch ? [swatch.cloneNode()] : []), head, figure);
    tip.append(line);
  };

  const telling = (figure, data, isolated) => {
    const tip = figure.querySelector(".chart__tip");
    const swatches = [...figure.querySelectorAll("[data-series] .swatch")];
    return (index, x) => {
      tip.hidden = index < 0;
      if (index < 0) return;
      tip.replaceChildren();
      row(tip, null, data.titles[index], "", "chart__tip-title");
      const alone = isolated();
      data.series.forEach((series, number) => {
        if (series.values[index] && (alone < 0 || alone === number)) {
          row(tip, swatches[number], series.label, series.texts[index]);
        }
      });
      if (alone < 0) row(tip, null, "Total", data.totals[index], "chart__tip-total");
      if (data.before.length) row(tip, null, "Period before", data.before[index]);
      const { width } = figure.querySelector(".chart__canvas").getBoundingClientRect();
      tip.style.left = `${Math.max(0, x > width / 2 ? x - tip.offsetWidth - 14 : Math.min(x + 14, width - tip.offsetWidth))}px`;
    };
  };

  // From the bar where the pointer went down to the one where it comes up. A bar by itself is a link already.
  const dragging = (hits, data) => {
    const columns = [...hits.querySelectorAll("rect")];
    let first = -1;
    const mark = (last) => {
      const [low, high] = [Math.min(first, last), Math.max(first, last)];
      columns.forEach((column, index) => column.classList.toggle("is-chosen", first >= 0 && low <= index && index <= high));
    };
    return {
      columns,
      begin: (index) => { first = index; },
      move: (index) => { if (first >= 0 && index >= 0 && index !== first) mark(index); },
      end: (index) => {
        const begun = first;
        first = -1;
        mark(-1);
        if (begun < 0 || index < 0 || index === begun) return;
        const url = new URL(location);
        url.searchParams.set("from", data.days[Math.min(begun, index)][0]);
        url.searchParams.set("to", data.days[Math.max(begun, index)][1]);
        for (const name of ["step", "page", "table"]) url.searchParams.delete(name);
        location.assign(url);
      },
    };
  };

  const prepare = (figure) => {
    if (figure.dataset.ready) return;
    figure.dataset.ready = "true";
    const data = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
    const hits = figure.querySelector(".chart__hits");
    const tell = telling(figure, data, isolating(figure, data));
    const drag = dragging(hits, data);
    const at = (event) => {
      const { left, width } = hits.getBoundingClientRect();
      const index = Math.floor(((event.clientX - left) / width) * data.titles.length);
      return index >= 0 && index < data.titles.length ? index : -1;
    };
    const place = (event) => event.clientX - figure.querySelector(".chart__canvas").getBoundingClientRect().left;
    hits.addEventListener("dragstart", (event) => event.preventDefault());
    hits.addEventListener("pointermove", (event) => {
      tell(at(event), place(event));
      drag.move(at(event));
    });
    hits.addEventListener("pointerleave", () => tell(-1));
    hits.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && event.pointerType !== "touch") drag.begin(at(event));
    });
    document.addEventListener("pointerup", (event) => drag.end(at(event)));
  };

  const fetchTwin = async (event) => {
    const place = event.target.closest("[data-twin]");
    if (!place || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const link = place.querySelector("a");
    try {
      const page = new DOMParser().parseFromString(await (await fetch(link.href)).text(), "text/html");
      const twin = document.adoptNode(page.getElementById(place.dataset.twin));
      place.replaceWith(twin);
      twin.querySelector("summary").focus();
    } catch {
      location.assign(link.href);
    }
  };

  const prepareAll = (root = document) => root.querySelectorAll("[data-chart]").forEach(prepare);
  prepareAll();
  document.addEventListener("htmx:afterSwap", (event) => prepareAll(event.target));
  document.addEventListener("click", fetchTwin);
})();
