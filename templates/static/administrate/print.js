// Buttons that open the browser's print dialog; without scripts they are hidden, and the browser's menu does the same.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
