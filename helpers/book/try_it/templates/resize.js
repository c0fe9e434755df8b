// Resizing as helpers.images.resize_pad, to the same numbers: that of OpenCV, in whole numbers where it uses them.
// A picture is { height, width, rgb }, a byte a value.

// Round a number that is not negative, a half to the even number, as Python and OpenCV do.
function roundToEven(value) {
  const rounded = Math.round(value);
  return value % 1 === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}

function fitted(height, width, size) {
  const scale = size / Math.max(height, width);
  const newHeight = Math.max(1, roundToEven(height * scale)), newWidth = Math.max(1, roundToEven(width * scale));
  return { newHeight, newWidth, top: (size - newHeight) >> 1, left: (size - newWidth) >> 1 };
}

// For every new position the two old ones beside it, and the weight of the second.
function neighbours(length, newLength) {
  const scale = length / newLength;
  return Array.from({ length: newLength }, (_, k) => {
    const at = Math.fround((k + 0.5) * scale - 0.5), first = Math.floor(at);
    return { first, share: Math.fround(at - first) };
  });
}

function resizeLinear({ height, width, rgb }, newHeight, newWidth) {
  const whole = share => [Math.round(Math.fround(1 - share) * 2048), Math.round(share * 2048)];
  const inside = (at, length) => Math.min(Math.max(at, 0), length - 1);
  const columns = neighbours(width, newWidth).map(({ first, share }) => (
    { from: 3 * inside(first, width), to: 3 * inside(first + 1, width),
      weights: whole(first < 0 || first >= width - 1 ? 0 : share) }));
  const rows = neighbours(height, newHeight), result = new Uint8Array(3 * newHeight * newWidth);
  const line = y => {
    const start = 3 * width * inside(y, height), values = new Int32Array(3 * newWidth);
    columns.forEach(({ from, to, weights: [a, b] }, x) => {
      for (let c = 0; c < 3; c++) values[3 * x + c] = a * rgb[start + from + c] + b * rgb[start + to + c];
    });
    return values;
  };
  rows.forEach(({ first, share }, y) => {
    const above = line(first), below = line(first + 1), [a, b] = whole(share);
    for (let k = 0; k < above.length; k++) {
      result[y * above.length + k] = ((a * (above[k] >> 4) >> 16) + (b * (below[k] >> 4) >> 16) + 2) >> 2;
    }
  });
  return result;
}

// For every new position the old ones below it, each with the share of the new one that it covers.
function coverage(length, newLength) {
  const scale = length / newLength;
  return Array.from({ length: newLength }, (_, k) => {
    const low = k * scale, high = low + scale, cell = Math.min(scale, length - low), parts = [];
    const first = Math.ceil(low), last = Math.min(Math.floor(high), length - 1);
    if (first - low > 1e-3) parts.push([first - 1, Math.fround((first - low) / cell)]);
    for (let at = first; at < last; at++) parts.push([at, Math.fround(1 / cell)]);
    if (high - last > 1e-3) parts.push([last, Math.fround(Math.min(high - last, 1, cell) / cell)]);
    return parts;
  });
}

function resizeArea({ height, width, rgb }, newHeight, newWidth) {
  const columns = coverage(width, newWidth), rows = coverage(height, newHeight);
  const result = new Uint8Array(3 * newHeight * newWidth), line = new Float32Array(3 * newWidth);
  const whole = height % newHeight === 0 && width % newWidth === 0;  // then OpenCV adds bytes, and divides once
  const area = Math.fround(newHeight * newWidth / (height * width));
  rows.forEach((parts, y) => {
    const sum = new Float32Array(3 * newWidth);
    for (const [row, weight] of parts) {
      line.fill(0);
      columns.forEach((of, x) => {
        for (const [column, share] of of) {
          const from = 3 * (row * width + column);
          for (let c = 0; c < 3; c++) {
            line[3 * x + c] += whole ? rgb[from + c] : Math.fround(rgb[from + c] * share);
          }
        }
      });
      for (let k = 0; k < sum.length; k++) sum[k] += whole ? line[k] : Math.fround(line[k] * weight);
    }
    for (let k = 0; k < sum.length; k++) {
      result[y * sum.length + k] = roundToEven(whole ? Math.fround(sum[k] * area) : sum[k]);
    }
  });
  return result;
}

function median(values) {
  const sorted = Float64Array.from(values).sort(), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// Fit a picture into a square, in the median colour of its edge.
function resizePad(picture, size) {
  const { height, width } = picture;
  if (height === size && width === size) return picture.rgb;
  const { newHeight, newWidth, top, left } = fitted(height, width, size);
  const resize = Math.max(height, width) > 2 * size ? resizeArea : resizeLinear;
  const scaled = resize(picture, newHeight, newWidth), result = new Uint8Array(3 * size * size);
  const edge = [];
  for (let x = 0; x < newWidth; x++) edge.push(x, (newHeight - 1) * newWidth + x);
  for (let y = 0; y < newHeight; y++) edge.push(y * newWidth, y * newWidth + newWidth - 1);
  const colour = [0, 1, 2].map(c => median(edge.map(pixel => scaled[3 * pixel + c])));
  for (let k = 0; k < result.length; k++) result[k] = colour[k % 3];
  for (let y = 0; y < newHeight; y++) {
    result.set(scaled.subarray(3 * y * newWidth, 3 * (y + 1) * newWidth), 3 * ((y + top) * size + left));
  }
  return result;
}

// How many positions of the original take their value from each position of the resized one, the nearest. Where two are
// equally near, versions of OpenCV differ among themselves; here it is the second.
function repeats(length, newLength) {
  const counts = new Array(newLength).fill(0);
  for (let k = 0; k < length; k++) counts[Math.floor((2 * k + 1) * newLength / (2 * length))]++;
  return counts;
}

// The pixels that a mask of the square covers on the picture, as helpers.images.undo_resize_pad brings it back.
function areaOnPicture(mask, size, { height, width }) {
  const { newHeight, newWidth, top, left } = fitted(height, width, size);
  const rows = repeats(height, newHeight), columns = repeats(width, newWidth);
  let area = 0;
  rows.forEach((n, y) => columns.forEach((m, x) => { area += n * m * mask[(y + top) * size + x + left]; }));
  return area;
}
