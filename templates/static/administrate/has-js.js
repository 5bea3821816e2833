// Runs before the page is drawn, so that what only works without scripts never flashes by.
document.documentElement.classList.add("js");
