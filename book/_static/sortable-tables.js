// Tables in a box of class "sortable": the button in a heading sorts by its column, up and then down.
// Where a page has a box "table-filter", a field in it filters the rows of all its tables.
"use strict";

(() => {
  const number = (text) => parseFloat(text.replace("−", "-").replace(/,/g, ""));

  const compare = (one, other) => {
    const [a, b] = [number(one), number(other)];
    if (Number.isNaN(a) && Number.isNaN(b)) return one.localeCompare(other);
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) ? 1 : -1; // what is not a number comes last
    return a - b || one.localeCompare(other);
  };

  const sortBy = (table, heading) => {
    const column = heading.cellIndex;
    const descending = heading.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = table.tBodies[0];
    const text = (row) => row.cells[column].textContent;
    const rows = [...body.rows].sort((a, b) => (descending ? -1 : 1) * compare(text(a), text(b)));
    body.append(...rows);
  };

  const addButtons = (table) => {
    for (const heading of table.tHead.rows[0].cells) {
      if (!heading.textContent) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      button.addEventListener("click", () => sortBy(table, heading));
      heading.append(button);
    }
  };

  const showMatches = (words, boxes) => {
    let tables = 0;
    let found = 0;
    for (const box of boxes) {
      const section = box.closest("section");
      const above = section.querySelector("h2, h3").textContent + box.querySelector("thead").textContent;
      let shown = 0;
      for (const row of box.querySelectorAll("tbody tr")) {
        const text = (above + " " + section.dataset.about + " " + row.textContent).toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        shown += row.hidden ? 0 : 1;
      }
      section.hidden = !shown;
      tables += shown ? 1 : 0;
      found += shown;
    }
    return `${found} ${found === 1 ? "row" : "rows"} in ${tables} ${tables === 1 ? "table" : "tables"}`;
  };

  const addFilter = (place, boxes) => {
    place.innerHTML =
      '<label for="filter-field">Filter all tables by words</label> <input id="filter-field" type="search" ' +
      'autocomplete="off" placeholder="cnmc auc"> <span role="status"></span>';
    const [field, status] = [place.querySelector("input"), place.querySelector("[role=status]")];
    for (const box of boxes) {
      const section = box.closest("section");
      section.dataset.about = section.parentElement.querySelector("h2").textContent + section.querySelector("p").textContent;
    }
    const groups = new Set(boxes.map((box) => box.closest("section").parentElement));
    const update = () => {
      status.textContent = showMatches(field.value.toLowerCase().split(/\s+/).filter(Boolean), boxes);
      for (const group of groups) group.hidden = !group.querySelector(":scope > section:not([hidden])");
    };
    field.addEventListener("input", update);
    update();
  };

  document.addEventListener("DOMContentLoaded", () => {
    const boxes = [...document.querySelectorAll(".sortable")];
    for (const table of document.querySelectorAll(".sortable table")) addButtons(table);
    const place = document.getElementById("table-filter");
    if (place) addFilter(place, boxes);
  });
})();
