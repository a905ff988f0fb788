// Walks through each connection of a lesson step by step. Without this script everything can be read.
"use strict";
(() => {
  document.querySelectorAll("figure.trip").forEach((trip) => {
    const bar = trip.querySelector(".bar");
    const now = bar.querySelector(".now");
    const seen = trip.querySelector(".seen");
    const table = [...trip.querySelectorAll("tbody tr")];
    const rows = table.filter((row) => !row.classList.contains("part"));
    const button = (name) => bar.querySelector(`[data-do=${name}]`);
    let step = 0;

    // Rows up to the current one; the title of a part comes with its first row.
    const show = (last) => {
      const end = table.indexOf(rows[last]);
      table.forEach((row, index) => (row.hidden = index > end));
      seen.hidden = last < rows.length - 1;
      rows.forEach((row) => row.removeAttribute("aria-current"));
    };

    const go = (to) => {
      step = Math.min(Math.max(to, 0), rows.length - 1);
      show(step);
      const row = rows[step];
      row.setAttribute("aria-current", "step");
      const cells = [...row.cells].map((cell) => cell.innerText.replace(/\n/g, " "));
      const count = { "#": cells[0], "##": rows.length };
      now.textContent = now.dataset.step.replace(/##?/g, (mark) => count[mark]) + `${cells[1]} ${cells[2]}`;
      button("previous").disabled = step === 0;
      button("next").disabled = step === rows.length - 1;
    };

    const walk = (by) => {
      go(step + by);
      rows[step].scrollIntoView({ block: "nearest" });
    };

    const all = () => {
      step = rows.length - 1;
      show(step);
      now.textContent = "";
      button("previous").disabled = false;
      button("next").disabled = true;
    };

    bar.addEventListener("click", (event) => {
      const what = event.target.closest("button")?.dataset.do;
      if (what === "next") walk(1);
      if (what === "previous") walk(-1);
      if (what === "all") all();
    });
    trip.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest(".scroll")) return;
      if (event.key === "ArrowRight") walk(1);
      else if (event.key === "ArrowLeft") walk(-1);
      else return;
      event.preventDefault();
    });
    bar.hidden = false;
    if (rows.length) go(0);
  });
})();
