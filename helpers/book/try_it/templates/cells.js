// What helpers.segmentation and helpers.prediction.referral do, for one picture.
const BACKGROUND = 0, CYTOPLASM = 1, NUCLEUS = 2;

// For each of the eight flips and rotations of a square, which pixel comes to each place.
function views(size) {
  const all = [];
  for (const mirrored of [false, true]) {
    let order = Int32Array.from({ length: size * size }, (_, i) => mirrored ? i - i % size + size - 1 - i % size : i);
    for (let turns = 0; turns < 4; turns++) {
      all.push(order);
      const before = order;
      order = before.map((_, i) => before[(i % size) * size + size - 1 - Math.floor(i / size)]);
    }
  }
  return all;
}

// Between two views, so that the page can answer: a timer, since a page in the background is not painted.
const breathe = () => new Promise(resolve => setTimeout(resolve));

// Class of every pixel of a picture in the size of the network, from the mean over the eight dihedral transforms.
async function segment(run, rgb, size) {
  const sum = new Float64Array(3 * size * size), turned = new Uint8Array(3 * size * size);
  for (const order of views(size)) {
    order.forEach((from, to) => { for (let c = 0; c < 3; c++) turned[3 * to + c] = rgb[3 * from + c]; });
    const [{ values }] = run(turned);
    order.forEach((from, to) => { for (let c = 0; c < 3; c++) sum[3 * from + c] += values[3 * to + c]; });
    await breathe();
  }
  return Uint8Array.from({ length: size * size }, (_, i) => {
    const [a, b, c] = sum.subarray(3 * i, 3 * i + 3);
    return b > a ? (c > b ? NUCLEUS : CYTOPLASM) : (c > a ? NUCLEUS : BACKGROUND);
  });
}

// The mask, if its nucleus is large enough and darker in red light than what surrounds the cell; or else null.
function findCell(rgb, mask, { minNucleusShare, minContrast }) {
  const density = i => -Math.log((rgb[3 * i] + 1) / 256), nucleus = [], ground = [], cytoplasm = [];
  mask.forEach((value, i) => {
    if (value === NUCLEUS) nucleus.push(density(i));
    if (value === CYTOPLASM) cytoplasm.push(density(i));
    if (value === BACKGROUND && (rgb[3 * i] || rgb[3 * i + 1] || rgb[3 * i + 2])) ground.push(density(i));
  });
  const around = ground.length < mask.length / 100 ? cytoplasm : ground;
  if (nucleus.length < Math.max(1, minNucleusShare * mask.length) || !around.length) return null;
  return median(nucleus) - median(around) >= minContrast ? mask : null;
}

// Probability of every class, the classes in the prediction set, and the distance from the training cells.
function classify(run, rgb, { thresholds, means }) {
  const [probability, place] = run(rgb).map(map => map.values);
  const squares = means.map(mean => mean.reduce((sum, value, k) => sum + (place[k] - value) ** 2, 0));
  return {
    probability,
    inSet: thresholds.map((threshold, k) => 1 - probability[k] <= threshold),
    distance: Math.sqrt(Math.min(...squares)),
  };
}
