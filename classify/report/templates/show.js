(() => {
  // A number's link names groups, such as t0_3-f1_7: show the passages that belong to all of them.
  const show = () => {
    const key = location.hash.slice(1);
    const cell = key && document.getElementById(key);
    if (!cell || !cell.classList.contains("cell")) return;
    for (const passage of document.querySelectorAll(".p.on")) passage.classList.remove("on");
    const groups = key === "all" ? "" : "." + key.replaceAll("-", ".");
    for (const passage of document.querySelectorAll(".p" + groups)) passage.classList.add("on");
    cell.scrollIntoView();
  };
  document.documentElement.classList.add("js");
  addEventListener("hashchange", show);
  show();
})();
