// Puts what a page announces with data-toy in its place; nothing is loaded on other pages.
const TOYS = {
  harmonise: () => import("./harmonise.js"),
  continue: () => import("./continue.js"),
  walk: () => import("./walk.js"),
  ring: () => import("./ring.js"),
};

for (const box of document.querySelectorAll("[data-toy]")) {
  TOYS[box.dataset.toy]().then(({ start }) => start(box)).catch((error) => {
    box.textContent = `This part could not be started: ${error.message}`;
  });
}
