function bytes(text) {
  return Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
}

// The elements of an explorer by what they are for: data-part="…".
function partsOf(root) {
  const parts = {};
  for (const element of root.querySelectorAll("[data-part]")) parts[element.dataset.part] = element;
  return parts;
}

function paint(canvas, rgb) {
  const context = canvas.getContext("2d");
  const picture = context.createImageData(canvas.width, canvas.height);
  for (let i = 0; i < canvas.width * canvas.height; i++) {
    picture.data.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i);
    picture.data[4 * i + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
}

// The sides between pixels inside a mask and pixels outside it, as closed lines in the path of an SVG.
function outline(mask, width, height) {
  const inside = (x, y) => x >= 0 && y >= 0 && x < width && y < height && mask[y * width + x] > 0;
  const corner = (x, y) => y * (width + 1) + x;
  const sides = new Map();  // from a corner to the corners that its sides lead to, clockwise around the mask
  const add = (from, to) => sides.set(from, [...(sides.get(from) ?? []), to]);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!inside(x, y)) continue;
      if (!inside(x, y - 1)) add(corner(x, y), corner(x + 1, y));
      if (!inside(x + 1, y)) add(corner(x + 1, y), corner(x + 1, y + 1));
      if (!inside(x, y + 1)) add(corner(x + 1, y + 1), corner(x, y + 1));
      if (!inside(x - 1, y)) add(corner(x, y + 1), corner(x, y));
    }
  }
  let path = "";
  for (const start of sides.keys()) {
    while (sides.get(start).length) {
      const line = [];
      for (let at = start; sides.get(at).length; at = sides.get(at).pop()) {
        line.push(`${at % (width + 1)} ${Math.floor(at / (width + 1))}`);
      }
      path += `M${line.join("L")}Z`;
    }
  }
  return path;
}

function drawOutline(parts, name, mask, width, height) {
  const path = outline(mask, width, height);
  parts[name].setAttribute("d", path);
  parts[`${name}-casing`].setAttribute("d", path);
}

function overlap(truth, marked) {
  let both = 0, total = 0;
  for (let i = 0; i < truth.length; i++) {
    both += truth[i] && marked[i] ? 1 : 0;
    total += (truth[i] ? 1 : 0) + (marked[i] ? 1 : 0);
  }
  return { dice: 2 * both / total, iou: both / (total - both) };
}

// As numpy.percentile: linear between the two nearest values.
function percentile(values, percent) {
  const sorted = [...values].sort((a, b) => a - b), at = percent / 100 * (sorted.length - 1), low = Math.floor(at);
  return sorted[low] + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
}
