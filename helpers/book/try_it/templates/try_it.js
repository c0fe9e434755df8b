function listed(names) {
  return names.length > 1 ? `${names.slice(0, -1).join(", ")} or ${names.at(-1)}` : names[0];
}

// What both networks predict for a picture.
async function predict(models, picture) {
  const { segmenter, classifier } = models, small = resizePad(picture, segmenter.size);
  const predicted = await segment(segmenter.run, small, segmenter.size);
  const mask = findCell(small, predicted, segmenter);
  const areas = [CYTOPLASM, NUCLEUS].map(lowest =>
    mask ? areaOnPicture(mask.map(value => value >= lowest ? 1 : 0), segmenter.size, picture) : 0);
  return { mask, areas, ...classify(classifier.run, resizePad(picture, classifier.size), classifier) };
}

function describeCell({ mask, areas: [cell, nucleus] }, picture, { size, cellShare }) {
  if (!mask) return "No white blood cell is found.";
  const share = mask.filter(Boolean).length / size ** 2, percent = value => `${Math.round(100 * value)} %`;
  const isSmall = share < cellShare[0], isUsual = !isSmall && share <= cellShare[1];
  return `Cell ${cell.toLocaleString("en-GB")} pixels, nucleus ${nucleus.toLocaleString("en-GB")}: N:C ratio `
    + `${(nucleus / cell).toFixed(2)}.`
    + (isUsual ? "" : ` The cell fills ${percent(share)} of the square, in training ${percent(cellShare[0])} to `
      + `${percent(cellShare[1])}: ${isSmall ? "crop the picture closer" : "leave more room around it"}.`);
}

// A probability that is not 1 is not shown as 1.
const rounded = p => p >= 0.995 ? ">\u00a00.99" : p < 0.005 ? "<\u00a00.01" : p.toFixed(2);

function describeClass({ probability, inSet, distance }, { classes, coverage, limit }) {
  if (distance > limit) {
    return `Unlike anything I know: it lies at a distance of ${distance.toFixed(1)} from the training cells, beyond the `
      + `limit of ${limit.toFixed(1)}. The class below means nothing.`;
  }
  const best = probability.indexOf(Math.max(...probability)), set = classes.filter((_, k) => inSet[k]);
  return `Class: ${classes[best]}, probability ${rounded(probability[best])}. Prediction set at `
    + `${Math.round(100 * coverage)} %: ${set.length ? listed(set) : "empty, no class fits"}.`;
}

function classRow(name, probability, isInSet) {
  const row = document.createElement("tr"), bar = document.createElement("span");
  const cells = ["th", "td", "td"].map(tag => row.appendChild(document.createElement(tag)));
  cells[0].scope = "row";
  cells[0].textContent = name;
  cells[1].textContent = rounded(probability);
  bar.className = "try-bar";
  bar.style.width = `${3 * probability}rem`;
  cells[1].append(bar);
  cells[2].textContent = isInSet ? "yes" : "no";
  return row;
}

// The picture as large as it is shown, and above it the outlines in the pixels that the network saw.
function drawPicture(parts, picture, { mask }, size) {
  const { newHeight, newWidth, top, left } = fitted(picture.height, picture.width, size);
  const scale = 320 / Math.max(picture.height, picture.width);
  parts.canvas.width = Math.max(1, Math.round(scale * picture.width));
  parts.canvas.height = Math.max(1, Math.round(scale * picture.height));
  parts.canvas.getContext("2d").drawImage(picture.canvas, 0, 0, parts.canvas.width, parts.canvas.height);
  parts.canvas.setAttribute("aria-label", `${picture.name} with the outlines of cell and nucleus`);
  const svg = parts.marked.ownerSVGElement;
  svg.setAttribute("viewBox", `${left} ${top} ${newWidth} ${newHeight}`);
  svg.setAttribute("preserveAspectRatio", "none");
  const above = lowest => mask ? mask.map(value => value >= lowest ? 1 : 0) : new Uint8Array(size * size);
  drawOutline(parts, "marked", above(CYTOPLASM), size, size);
  drawOutline(parts, "truth", above(NUCLEUS), size, size);
}

function explore(root, variable) {
  const parts = partsOf(root), models = window[variable];
  if (!models) {
    parts.readout.textContent = "The networks are not beside this page. Open it in the folder of the whole book.";
    return;
  }
  const { segmenter, classifier, examples, drawn } = models;
  for (const model of [segmenter, classifier]) model.run = network(model);
  let latest = 0;

  // Show what the networks predict for a picture, unless another was chosen in the meantime.
  async function show(blob, name, truth) {
    const turn = ++latest, isOld = () => turn !== latest;
    parts.readout.textContent = `${name}: computing …`;
    let picture;
    try {
      picture = await readPicture(blob, name);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (isOld()) return;
      parts.result.hidden = true;
      parts.readout.textContent = error.message;
      return;
    }
    const start = performance.now(), result = await predict(models, picture);
    if (isOld()) return;
    const seconds = (performance.now() - start) / 1000;
    drawPicture(parts, picture, result, segmenter.size);
    const order = classifier.classes.map((_, k) => k).sort((a, b) => result.probability[b] - result.probability[a]);
    parts.classes.replaceChildren(...order.map(k =>
      classRow(classifier.classes[k], result.probability[k], result.inSet[k])));
    parts.details.textContent = `${truth} Distance from the training cells ${result.distance.toFixed(1)}, limit `
      + `${classifier.limit.toFixed(1)}. The picture has ${picture.width} × ${picture.height} pixels; the networks see `
      + `it at ${segmenter.size} × ${segmenter.size} and ${classifier.size} × ${classifier.size}. Computed in `
      + `${seconds.toFixed(1)} s.`;
    parts.result.hidden = false;
    parts.readout.textContent = `${name}. ${describeCell(result, picture, segmenter)} `
      + describeClass(result, classifier);
  }

  const press = chosen => {
    for (const one of parts.examples.children) one.setAttribute("aria-pressed", one === chosen);
  };
  for (const { name, truth, picture } of examples) {
    const button = document.createElement("button"), image = document.createElement("img");
    button.type = "button";
    button.className = "lbx-tile";
    button.setAttribute("aria-pressed", false);
    image.src = picture;
    image.alt = `${name}, a small synthetic picture`;
    const label = document.createElement("span");
    label.textContent = name;
    label.setAttribute("aria-hidden", true);  // the text of the picture has it already
    button.append(image, label);
    const blob = new Blob([bytes(picture.split(",")[1])], { type: "image/png" });
    button.addEventListener("click", () => { press(button); show(blob, name, truth); });
    parts.examples.append(button);
  }

  function own(file) {
    if (!file) return;
    press(null);
    show(file, file.name, "Your own picture: no ground truth.");
  }
  parts.file.addEventListener("change", () => own(parts.file.files[0]));
  // Anywhere in the explorer, so that a picture that misses the box does not take the place of the page.
  root.addEventListener("dragover", event => { event.preventDefault(); parts.drop.classList.add("try-over"); });
  root.addEventListener("dragleave", () => parts.drop.classList.remove("try-over"));
  root.addEventListener("drop", event => {
    event.preventDefault();
    parts.drop.classList.remove("try-over");
    const [file] = event.dataTransfer.files;
    own(file);
    if (!file) parts.readout.textContent = "That is not a file. Save the picture first, then drop its file here.";
  });

  const axes = Object.keys(drawn.axes), units = { diameter: " µm" };
  function draw() {
    const chosen = axes.map(name => Number(parts[name].value));
    const place = axes.reduce((sum, name, k) => sum * drawn.axes[name].length + chosen[k], 0);
    const text = Object.fromEntries(axes.map((name, k) => [name, `${drawn.axes[name][chosen[k]]}${units[name] ?? ""}`]));
    for (const name of ["diameter", "ratio", "lobes"]) {
      parts[`${name}-value`].textContent = text[name];
      parts[name].setAttribute("aria-valuetext", text[name]);
    }
    const truth = `Drawn with: diameter ${text.diameter}, N:C ratio ${text.ratio}.`;
    return show(new Blob([bytes(drawn.pictures[place])], { type: "image/jpeg" }), "Drawn cell", truth);
  }
  for (const name of axes) {
    parts[name].value = Math.floor(drawn.axes[name].length / 2) % drawn.axes[name].length;
    parts[name].addEventListener("input", draw);
  }

  // Tabs by arrow keys, as in every tab list; only the chosen one is reached by Tab.
  const tabs = [...root.querySelectorAll("[role=tab]")];
  function choose(tab) {
    for (const one of tabs) {
      const isChosen = one === tab;
      one.setAttribute("aria-selected", isChosen);
      one.tabIndex = isChosen ? 0 : -1;
      root.querySelector(`[data-panel=${one.dataset.tab}]`).hidden = !isChosen;
    }
    if (tab.dataset.tab === "draw") draw();
  }
  tabs.forEach((tab, k) => {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", event => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = tabs[(k + step + tabs.length) % tabs.length];
      next.focus();
      choose(next);
    });
  });
  choose(tabs[0]);
}
