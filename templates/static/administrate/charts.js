// Stacked daily bars, drawn by Chart.js from what the page carries as JSON; colours come from the legend's swatches, so
// that the style sheet alone knows them. Numbers are shown as the texts that the server wrote; nothing is computed here.
"use strict";

(() => {
  const drawn = new Map();

  const colourOf = (element, property = "color") => getComputedStyle(element)[property];

  // Diagonal lines of the background over the segment's colour: the day may still be restated.
  const hatched = (colour, background) => {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 7;
    const pen = tile.getContext("2d");
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 7, 7);
    pen.strokeStyle = background;
    pen.lineWidth = 1.6;
    for (const offset of [-7, 0, 7]) {
      pen.beginPath();
      pen.moveTo(offset, 7);
      pen.lineTo(offset + 7, 0);
      pen.stroke();
    }
    return pen.createPattern(tile, "repeat");
  };

  const draw = (figure) => {
    const canvas = figure.querySelector("canvas");
    const data = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
    const surface = colourOf(figure.closest(".card"), "backgroundColor");
    const muted = colourOf(figure.querySelector(".legend"));
    const grid = colourOf(figure.closest(".card"), "borderTopColor");
    const swatches = [...figure.querySelectorAll(".swatch[data-series]")];
    const axis = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 2 });
    drawn.get(canvas)?.destroy();
    const chart = new window.Chart(canvas, {
      type: "bar",
      data: {
        labels: data.days,
        datasets: data.series.map((series, index) => {
          const colour = colourOf(swatches[index], "backgroundColor");
          const hatch = hatched(colour, surface);
          return {
            label: series.label,
            data: series.values,
            backgroundColor: data.provisional.map((isProvisional) => (isProvisional ? hatch : colour)),
            borderColor: surface,
            borderWidth: data.days.length > 120 ? 0 : { top: 1, right: 0, bottom: 0, left: 0 },
            borderSkipped: false,
            stack: "day",
            maxBarThickness: 36,
            categoryPercentage: data.days.length > 120 ? 1 : 0.86,
            barPercentage: data.days.length > 120 ? 1 : 0.94,
          };
        }),
      },
      options: {
        animation: false,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        scales: {
          x: {
            stacked: true,
            grid: { display: false },
            border: { color: grid },
            ticks: { color: muted, maxRotation: 0, autoSkipPadding: 18 },
          },
          y: {
            stacked: true,
            beginAtZero: true,
            border: { display: false },
            grid: { color: grid },
            ticks: { color: muted, maxTicksLimit: 5, callback: (value) => data.prefix + axis.format(value) },
          },
        },
        plugins: {
          legend: { display: false },
          tooltip: {
            itemSort: (one, other) => other.datasetIndex - one.datasetIndex,
            filter: (item) => item.raw !== null && item.raw !== 0,
            callbacks: {
              title: (items) => (items.length ? data.titles[items[0].dataIndex] : ""),
              label: (item) => ` ${item.dataset.label}: ${data.series[item.datasetIndex].texts[item.dataIndex]}`,
              footer: (items) => (items.length ? `Total: ${data.totals[items[0].dataIndex]}` : ""),
            },
          },
        },
      },
    });
    drawn.set(canvas, chart);
  };

  const drawAll = (root = document) => {
    for (const figure of root.querySelectorAll("[data-chart]")) draw(figure);
  };

  window.Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  drawAll();
  document.addEventListener("htmx:afterSwap", (event) => drawAll(event.target));
  const redraw = () => drawAll();
  for (const query of ["(prefers-color-scheme: dark)", "print"]) {
    window.matchMedia(query).addEventListener("change", redraw);
  }
})();
