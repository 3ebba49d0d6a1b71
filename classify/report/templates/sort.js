document.documentElement.classList.add("scripted");
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const written = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const keyOf = (row, n) => row.cells[n].dataset.sort ?? row.cells[n].textContent.trim();
  const compare = (a, b) => (isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b);
  heads.forEach((head, n) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    const cycle = head.classList.contains("n") ? ["descending", "ascending", "none"] : ["ascending", "descending", "none"];
    button.addEventListener("click", () => {
      const order = cycle[(cycle.indexOf(head.getAttribute("aria-sort") ?? "none") + 1) % 3];
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      if (order !== "none") head.setAttribute("aria-sort", order);
      const sign = order === "descending" ? -1 : 1;
      const known = (row) => keyOf(row, n) !== "";
      const rows = order === "none" ? written : [
        ...written.filter(known).sort((a, b) => sign * compare(keyOf(a, n), keyOf(b, n))),
        ...written.filter((row) => !known(row)),
      ];
      body.append(...rows);
    });
  });
}
addEventListener("beforeprint", () => document.querySelectorAll("details:not([open], .screen)").forEach((one) => { one.open = true; one.dataset.shut = ""; }));
addEventListener("afterprint", () => document.querySelectorAll("[data-shut]").forEach((one) => { one.open = false; delete one.dataset.shut; }));
