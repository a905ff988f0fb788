// Lights the way of the sentence that is open, and walks it step by step. Without this script everything can be read.
"use strict";
(() => {
  const svg = document.querySelector("svg.canreach");
  const canvas = document.querySelector(".canvas");
  const bar = document.querySelector(".bar");
  const now = bar.querySelector(".now");
  const sentences = [...document.querySelectorAll(".sentence")];
  let open = null;
  let step = -1;

  const rows = () => (open ? [...open.querySelectorAll(".steps tr[data-stop]")] : []);

  // Only the picture is scrolled, not the page that somebody is reading.
  const reveal = (element) => {
    if (!element) return;
    const frame = canvas.getBoundingClientRect();
    const box = element.getBoundingClientRect();
    if (box.left < frame.left || box.right > frame.right) canvas.scrollLeft += box.left - frame.left - 40;
    if (box.top < frame.top || box.bottom > frame.bottom) canvas.scrollTop += box.top - frame.top - 40;
  };

  const clear = () => {
    svg.classList.remove("walking");
    svg.querySelectorAll(".lit").forEach((element) => element.classList.remove("lit"));
    svg.querySelectorAll(".walked.shown").forEach((way) => way.classList.remove("shown"));
    document.querySelectorAll("[aria-current]").forEach((element) => element.removeAttribute("aria-current"));
    svg.querySelectorAll(".at").forEach((element) => element.classList.remove("at"));
    bar.hidden = true;
    open = null;
    step = -1;
  };

  const show = (sentence) => {
    clear();
    const way = document.getElementById(sentence.dataset.way);
    sentence.setAttribute("aria-current", "true");
    open = sentence;
    bar.hidden = false;
    now.textContent = sentence.querySelector(".says").textContent + ": " + sentence.querySelector(".verdict").textContent;
    if (!way) return;
    svg.classList.add("walking");
    way.classList.add("shown");
    way.dataset.lit.split(" ").forEach((id) => document.getElementById(id)?.classList.add("lit"));
    reveal(way.querySelector(".stop"));
  };

  const walk = (by) => {
    const all = rows();
    if (!all.length) return;
    step = Math.min(Math.max(step + by, 0), all.length - 1);
    all.forEach((row) => row.removeAttribute("aria-current"));
    svg.querySelectorAll(".at").forEach((element) => element.classList.remove("at"));
    const row = all[step];
    open.querySelector(".steps").open = true;
    row.setAttribute("aria-current", "step");
    row.scrollIntoView({ block: "nearest" });
    const way = document.getElementById(open.dataset.way);
    const stop = way?.querySelector(`[data-stop="${row.dataset.stop}"]`);
    stop?.classList.add("at");
    reveal(stop);
    const cells = [...row.cells].map((cell) => cell.innerText.replace(/\n/g, " "));
    const count = { "#": cells[0], "##": all.length };
    now.textContent = now.dataset.step.replace(/##?/g, (mark) => count[mark]) + `${cells[1]} ${cells[2]}`;
  };

  sentences.forEach((sentence) => {
    sentence.addEventListener("toggle", () => {
      if (sentence.open) {
        sentences.filter((other) => other !== sentence).forEach((other) => (other.open = false));
        show(sentence);
        history.replaceState(null, "", "#" + sentence.id);
      } else if (open === sentence) {
        clear();
      }
    });
  });

  bar.addEventListener("click", (event) => {
    const what = event.target.closest("button")?.dataset.do;
    if (what === "next") walk(1);
    if (what === "previous") walk(-1);
    if (what === "clear" && open) open.open = false;
  });

  document.addEventListener("keydown", (event) => {
    if (!open || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.target.closest(".scroll, .canvas, input")) return;
    if (event.key === "ArrowRight") walk(1);
    else if (event.key === "ArrowLeft") walk(-1);
    else if (event.key === "Escape") open.open = false;
    else return;
    event.preventDefault();
  });

  const follow = () => {
    const match = /^#(?:sentence|way)-(\d+)$/.exec(location.hash);
    const sentence = match && document.getElementById("sentence-" + match[1]);
    if (sentence) {
      sentence.open = true;
      show(sentence);
    }
  };
  window.addEventListener("hashchange", follow);
  follow();
  if (!open) {
    const first = sentences.find((sentence) => sentence.classList.contains("violated"));
    if (first && !location.hash) first.open = true;
  }
})();
